"""Check sessions that are bound to a device (W3C Device Bound Session Credentials)."""

import re

from authsvc.doctor.cookies import set_cookies
from authsvc.doctor.deployment import REFRESH, Account, Deployment, Session
from authsvc.doctor.findings import Finding, failed, ok, ok_unless
from authsvc.doctor.proofs import Key
from authsvc.doctor.response import Response

OFFER = "Secure-Session-Registration"
MARKER = "__Host-device"
RENEW = "/auth/device/refresh"

_OFFER = re.compile(r'\(ES256\);path="(?P<path>[^"]+)";challenge="(?P<challenge>[^"]+)"')
_CHALLENGE = re.compile(r'"(?P<challenge>[^"]+)";id="[^"]+"')

_NEXT = (
    "Configure the proxies to forward /auth/device with the headers Secure-Session-Response, "
    "Secure-Session-Challenge and Set-Cookie, and check that every instance has the same "
    "AUTHSVC_REFRESH_TOKEN_SECRET and AUTHSVC_DEVICE_BINDING."
)


def check_device(deployment: Deployment, account: Account, login: Response) -> Finding:
    """Log in, register a key as a browser does, and check that a refresh demands the marker.

    Args:
        deployment: the service.
        account: the test account.
        login: the response to an earlier login, which shows whether keys can be registered.

    Raises:
        NoResponse: the service did not answer.
    """
    if login.header(OFFER) is None:
        return ok(
            "the login does not offer to bind its session to a device: AUTHSVC_DEVICE_BINDING is "
            "off, or sessions must be bound to the key of a page"
        )
    response, session = deployment.log_in(account, {})
    offer = _OFFER.fullmatch(response.header(OFFER) or "")
    path = deployment.client.target.prefix + "/auth/device"
    if session is None or offer is None or offer["path"] != path:
        return failed(
            f"{response.request_line}: {response}, and {OFFER} does not name {path}",
            "Set AUTHSVC_ISSUER to the URL by which browsers reach the service.",
        )
    key = Key()
    proof = key.device_proof(offer["challenge"], with_key=True)
    registered = _send(deployment, session, "/auth/device", proof)
    faults = _unless_marker(registered)
    faults += _faults_of_refreshes(deployment, session, registered)
    asked = _send(deployment, session, RENEW)
    challenge = _CHALLENGE.fullmatch(asked.header("Secure-Session-Challenge") or "")
    if asked.status != 403 or challenge is None:
        faults.append(f"{asked.request_line}: {asked}, not 403 with a challenge")
    else:
        signed = key.device_proof(challenge["challenge"], with_key=False)
        faults += _unless_marker(_send(deployment, session, RENEW, signed))
    return ok_unless(faults, "a key registers, renews the marker, and a refresh demands it", _NEXT)


def _send(
    deployment: Deployment, session: Session, path: str, proof: str | None = None
) -> Response:
    sent = {} if proof is None else {"Secure-Session-Response": proof}
    return deployment.client.request("POST", path, {**session.cookies, **sent})


def _unless_marker(response: Response) -> list[str]:
    if response.status == 200 and _marker(response):
        return []
    return [f"{response.request_line}: {response}, not 200 with the cookie {MARKER}"]


def _marker(response: Response) -> str:
    cookies = set_cookies(response)
    return next((f"{one.name}={one.value}" for one in cookies if one.name == MARKER), "")


def _faults_of_refreshes(
    deployment: Deployment, session: Session, registered: Response
) -> list[str]:
    send, faults = deployment.client.request, []
    cookie = session.cookies["Cookie"]
    without = send("POST", REFRESH, session.cookies)
    if (without.status, without.code) != (401, "device_proof_missing"):
        faults.append(f"{without.request_line} without the marker: {without}, not 401")
    with_it = send("POST", REFRESH, {"Cookie": f"{cookie}; {_marker(registered)}"})
    if with_it.status != 200:
        faults.append(f"{with_it.request_line} with the marker: {with_it}, not 200")
    return faults
