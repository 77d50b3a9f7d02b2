"""Check the life of a session: login, refresh, logout, and that it has ended then."""

import time

from authsvc.doctor.cookies import set_cookies
from authsvc.doctor.deployment import Deployment, Session
from authsvc.doctor.findings import Finding, failed, ok, ok_unless, warning
from authsvc.doctor.response import Response

MAX_ACCESS_SECONDS = 15 * 60
"""The longest life of an access token."""

PROMISED_SECONDS, MAX_WAIT = 1.0, 1.5
"""Seconds after a logout within which access tokens are revoked, and until which we poll."""

PAUSE = 0.05

CHECK_INSTANCES = (
    "Check that every instance uses the same AUTHSVC_DATABASE_URL, and that no instance runs an "
    "older version."
)


def check_login(response: Response, session: Session | None) -> Finding:
    """Check the response to a login with the right password."""
    if response.code == "second_factor_required":
        return failed(
            f"{response.request_line}: {response}",
            "Use a test account without a second factor: the doctor cannot give one.",
        )
    if response.status == 401:
        return failed(
            f"{response.request_line}: {response}", "Check the test account's e-mail and password."
        )
    if response.status == 429:
        wait = response.header("Retry-After") or "some"
        return failed(
            f"{response.request_line}: {response}",
            f"Wait {wait[:10]} seconds: too many logins of this account or address failed.",
        )
    if response.status != 200 or session is None:
        return failed(
            f"{response.request_line}: {response}, without one access token and one refresh cookie",
            "Find the request id in the service's log, and check that no proxy changes the "
            "response.",
        )
    expires_in = response.json.get("expires_in")
    faults = []
    if response.json.get("token_type") != "Bearer":
        faults.append("token_type is not Bearer")
    if type(expires_in) is not int or not 0 < expires_in <= MAX_ACCESS_SECONDS:
        faults.append(f"expires_in is not between 1 and {MAX_ACCESS_SECONDS} seconds")
    if session.cookie.value.encode() in response.body:
        faults.append("the refresh token is in the body, where scripts can read it")
    return ok_unless(
        faults,
        f"{response.request_line}: {response}, access token for {expires_in} s",
        f"Set AUTHSVC_ACCESS_TOKEN_TTL to at most {MAX_ACCESS_SECONDS}, and configure the proxies "
        "not to change the response.",
    )


def check_refresh(deployment: Deployment, session: Session) -> Finding:
    """Check that one cookie refreshes twice, and that no response sets a cookie."""
    faults = []
    for _ in range(2):
        response = deployment.refresh(session)
        token = response.json.get("access_token")
        if response.status != 200 or not isinstance(token, str):
            faults.append(f"{response.request_line}: {response}, without an access token")
        elif session.cookie.value.encode() in response.body:
            faults.append(f"{response.request_line}: the refresh token is in the body")
        faults += [
            f"{response.request_line} sets the cookie {one.name!r}" for one in set_cookies(response)
        ]
    return ok_unless(
        list(dict.fromkeys(faults)),
        "POST /auth/refresh twice: 200, no Set-Cookie",
        "Configure the proxies not to add cookies (such as for sticky sessions) or to cache. Check "
        "that every instance has the same AUTHSVC_REFRESH_TOKEN_SECRET and AUTHSVC_DATABASE_URL.",
    )


def check_refresh_after_logout(deployment: Deployment, session: Session) -> Finding:
    """Check that the session has ended at once: the 204 came after the commit."""
    response = deployment.refresh(session)
    faults = [f"{response.request_line} after the logout: {response}"] * (response.status != 401)
    return ok_unless(faults, f"{response.request_line} after it: {response}", CHECK_INSTANCES)


def check_access_after_logout(deployment: Deployment, session: Session, since: float) -> Finding:
    """Check that the access token is revoked within a second, on each worker that answers.

    Args:
        since: the monotonic clock's time at the logout's response.
    """
    last, tries = None, 0
    while (elapsed := time.monotonic() - since) < MAX_WAIT:
        response = deployment.client.request("GET", "/api/me", session.bearer)
        last = elapsed if response.status == 200 else last
        tries += 1
        time.sleep(PAUSE)
    response = deployment.client.request("GET", "/api/me", session.bearer)
    if response.status != 401:
        return failed(f"{response.request_line} {MAX_WAIT} s after it: {response}", CHECK_INSTANCES)
    if last is not None and last >= PROMISED_SECONDS:
        return warning(
            f"{response.request_line} was last accepted {last:.1f} s after it",
            "Check whether the service or its database is overloaded: the limit is one second.",
        )
    life = "never accepted" if last is None else f"last accepted {last:.1f} s after it"
    return ok(f"{response.request_line}, sent {tries + 1} times: {life}")


def check_left_behind(deployment: Deployment, email: str) -> Finding:
    """Log out of every session that is still open, whatever failed before."""
    opened, faults = deployment.end_sessions()
    return ok_unless(
        faults,
        f"{opened} session{'s'[: opened != 1]} opened, all logged out",
        f"Revoke them with `authsvc sessions revoke {email}`.",
    )
