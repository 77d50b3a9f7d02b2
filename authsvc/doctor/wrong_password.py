"""Check that a failed login does not tell whether an account exists, or has a second factor."""

import secrets

from authsvc.doctor.deployment import Account, Deployment
from authsvc.doctor.findings import Finding, not_checked, ok_unless


def check_wrong_password(deployment: Deployment, account: Account) -> Finding:
    """Compare a wrong password for the account, and a code, with one for an unknown address.

    It counts as one failed login of the account. The next login, by `check_binding`, clears that.
    """
    known = {"email": account.email, "password": secrets.token_hex(16), "code": "000000"}
    unknown = {"email": f"authsvc-doctor-{secrets.token_hex(8)}@example.com"}
    first, _ = deployment.send_credentials(known)
    second, _ = deployment.send_credentials({**unknown, "password": secrets.token_hex(16)})
    if 429 in (first.status, second.status):
        return not_checked(
            f"{first.request_line}: {first}, and {second}",
            "Try again in a quarter of an hour: too many logins of this account or address failed.",
        )
    faults = [
        f"{response.request_line} for {whose} with a wrong password: {response}, not 401"
        for response, whose in ((first, "the account"), (second, "an unknown address"))
        if (response.status, response.code) != (401, "invalid_credentials")
    ]
    if not faults and first.json != second.json:
        faults.append(f"{first.request_line}: an unknown address gets another body")
    return ok_unless(
        faults,
        f"{first.request_line} with a wrong password and a code: {first}, as for an unknown "
        "address",
        "Check that no instance runs an older version, and that no proxy changes the response.",
    )
