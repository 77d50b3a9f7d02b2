"""Check that people who forget their password can get back in: the service sends mail."""

import secrets

from authsvc.doctor.cross_origin import REFUSED
from authsvc.doctor.deployment import STRANGER, Deployment
from authsvc.doctor.findings import Finding, not_checked, ok_unless, warning

FORGOT = "/auth/password/forgot"


def check_recovery(deployment: Deployment) -> Finding:
    """Check requests for a link, with an address that has no account.

    Only the last request counts against the limit of mails. Its address is new in each run.
    """
    request = deployment.client.request
    malformed = {"email": "authsvc-doctor"}
    response = request("POST", FORGOT, json_body=malformed)
    if response.status == 404:
        return warning(
            "the service sends no mail, so people who forget their password cannot get back in",
            "Set AUTHSVC_MAIL_URL, AUTHSVC_MAIL_FROM and AUTHSVC_APP_URL, then run `authsvc mail "
            "test ADDRESS` on the service's machine.",
        )
    stranger = {"Origin": f"https://{STRANGER}", "Sec-Fetch-Site": "cross-site"}
    by_get = request("GET", FORGOT)
    from_page = request("POST", FORGOT, stranger, json_body=malformed)
    faults = []
    if (response.status, response.code) != (422, "validation_failed"):
        faults.append(f"{response.request_line} with a wrong address: {response}, not 422")
    if by_get.status != 405:
        faults.append(f"{by_get.request_line}: {by_get}, not 405")
    if (from_page.status, from_page.code) != REFUSED:
        faults.append(f"{from_page.request_line} from a stranger's page: {from_page}, not 403")
    unknown = {"email": f"authsvc-doctor-{secrets.token_hex(8)}@example.com"}
    response = request("POST", FORGOT, {"X-Forwarded-Host": STRANGER}, json_body=unknown)
    if response.status == 429 and not faults:
        return not_checked(
            f"{response.request_line}: {response}",
            "Try again in an hour: this network address has asked for too many mails.",
        )
    if response.status != 202 or response.body.strip() != b"{}":
        faults.append(f"{response.request_line} for an unknown address: {response}, not 202 {{}}")
    return ok_unless(
        faults,
        f"{FORGOT}: 202 for an unknown address, and refused to strangers. `authsvc mail test` "
        "checks the mail server",
        "Configure the proxy to forward /auth unchanged, Origin and Sec-Fetch-Site included, and "
        "not to answer in the service's place.",
    )
