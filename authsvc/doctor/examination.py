"""The examination: which checks there are, in which order, and what they need."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from authsvc.doctor import clocks, contract, cookies, cross_origin, forgery, headers, proxies
from authsvc.doctor.binding import check_binding, check_nonce
from authsvc.doctor.deployment import Account, Deployment, Session
from authsvc.doctor.device import check_device
from authsvc.doctor.findings import Finding, failed, not_checked
from authsvc.doctor.http_client import HttpClient, NoResponse
from authsvc.doctor.limits import check_limits, skip_limits
from authsvc.doctor.passkeys import check_passkeys
from authsvc.doctor.recovery import check_recovery
from authsvc.doctor.response import Response
from authsvc.doctor.session import (
    check_access_after_logout,
    check_left_behind,
    check_login,
    check_refresh,
    check_refresh_after_logout,
)
from authsvc.doctor.target import Target
from authsvc.doctor.tls import examine_transport
from authsvc.doctor.wrong_password import check_wrong_password

Given = ParamSpec("Given")


@dataclass(frozen=True)
class Row:
    """One line of the report: the check's name, and its finding."""

    check: str
    finding: Finding


WITHOUT_ACCOUNT: dict[str, Callable[[Deployment], Finding]] = {
    "the contract": contract.check_contract,
    "errors": contract.check_problems,
    "protected routes": contract.check_protection,
    "clock": clocks.check_date,
    "cookie when cleared": lambda deployment: cookies.check_attributes(
        contract.logout_without_cookie(deployment), deployment.client.target, cleared=True
    ),
    "SameSite": lambda deployment: cookies.check_samesite(
        contract.logout_without_cookie(deployment), deployment.client.target, deployment.origin
    ),
    "own origin": cross_origin.check_own_origin,
    "CORS": cross_origin.check_cors,
    "CORS for strangers": cross_origin.check_strangers_cors,
    "strangers' pages": cross_origin.check_strangers_refused,
    "proxy headers": proxies.check_headers_of_proxies,
    "recovery": check_recovery,
    "passkeys": check_passkeys,
}
"""The checks that need no account."""

LOGIN = "login"
IN_SESSION: dict[str, Callable[[Deployment, Session], Finding]] = {
    "cookie": lambda deployment, session: cookies.check_attributes(
        session.response, deployment.client.target, cleared=False
    ),
    "client's address": proxies.check_client_address,
    "clock of tokens": clocks.check_iat,
    "access token": forgery.check_access_token,
    "forged access": forgery.check_forged_access_tokens,
    "forged refresh": forgery.check_forged_refresh_tokens,
    "refresh": check_refresh,
}
"""The checks that need a session; a wrong password, a bound session and the logout follow."""

WRONG_PASSWORD, BINDING, NONCE = "wrong password", "binding", "wrong clock"
DEVICE = "device binding"
LOGOUT, REFRESH_AFTER, ACCESS_AFTER = "logout", "refresh, logged out", "access, logged out"
LIMITS, LEFT_BEHIND = "limits", "left behind"

OVER_ALL_RESPONSES: dict[str, Callable[[Deployment], Finding]] = {
    "HSTS": headers.check_hsts,
    "headers": headers.check_headers,
    "server's version": headers.check_server,
}
"""The checks over all responses."""

CHECKS = [
    *(
        "TLS",
        *WITHOUT_ACCOUNT,
        LOGIN,
        *IN_SESSION,
        WRONG_PASSWORD,
        BINDING,
        NONCE,
        DEVICE,
        LOGOUT,
        REFRESH_AFTER,
        ACCESS_AFTER,
    ),
    *(LIMITS, LEFT_BEHIND, *OVER_ALL_RESPONSES),
]
"""The names of all checks, in the order of the report."""


def examine(
    target: Target, *, origin: str | None, account: Account | None, try_limits: bool
) -> list[Row]:
    """Run all checks and return a row for each, also for those that were left out.

    Args:
        target: the service.
        origin: the page's origin, for the checks that depend on it.
        account: the test account, for the checks that need a session.
        try_limits: whether to send wrong logins until they are refused.

    Raises:
        NoResponse: the service cannot be reached.
    """
    transport = examine_transport(target)
    client = HttpClient(target, transport.context)
    deployment = Deployment(client, origin)
    contract.refresh_without_cookie(deployment)
    findings = {"TLS": transport.finding}
    for name, check in WITHOUT_ACCOUNT.items():
        findings[name] = _run(check, deployment)
    if account is None:
        findings |= _left_out("needs an account", "Add --email with a test account's address.")
    elif not transport.private:
        why = "no password is sent over a connection that others can read"
        findings |= _left_out(why, "Fix TLS first.")
    else:
        try:
            findings |= _in_session(deployment, account)
        finally:
            findings[LEFT_BEHIND] = check_left_behind(deployment, account.email)
    findings[LIMITS] = _run(check_limits, deployment) if try_limits else skip_limits()
    for name, check in OVER_ALL_RESPONSES.items():
        findings[name] = check(deployment)
    return [Row(name, findings[name]) for name in CHECKS]


def _in_session(deployment: Deployment, account: Account) -> dict[str, Finding]:
    try:
        response, session = deployment.log_in(account, proxies.FORGED_ADDRESS)
    except NoResponse as error:
        return {**_left_out(*NO_SESSION), LOGIN: _no_response(error)}
    login = check_login(response, session)
    if session is None:
        return {**_left_out(*NO_SESSION), LOGIN: login}
    findings = {LOGIN: login}
    for name, check in IN_SESSION.items():
        findings[name] = _run(check, deployment, session)
    findings[WRONG_PASSWORD] = _run(check_wrong_password, deployment, account)
    findings |= _bound(deployment, account, response)
    findings[LOGOUT] = _run(_log_out, deployment, session)
    since = time.monotonic()
    findings[REFRESH_AFTER] = _run(check_refresh_after_logout, deployment, session)
    findings[ACCESS_AFTER] = _run(check_access_after_logout, deployment, session, since)
    return findings


def _bound(deployment: Deployment, account: Account, login: Response) -> dict[str, Finding]:
    """Return the findings about bound sessions, which `check_left_behind` logs out."""
    try:
        binding, session = check_binding(deployment, account)
    except NoResponse as error:
        binding, session = _no_response(error), None
    return {
        BINDING: binding,
        NONCE: _run(check_nonce, deployment, session),
        DEVICE: _run(check_device, deployment, account, login),
    }


def _log_out(deployment: Deployment, session: Session) -> Finding:
    response = deployment.client.request("POST", "/auth/logout", session.cookies)
    if response.status != 204:
        return failed(
            f"{response.request_line}: {response}, not 204",
            "Read the service's log, and check its database.",
        )
    return cookies.check_attributes(response, deployment.client.target, cleared=True)


NO_SESSION = ("needs a session, and the login failed", "Fix the login first.")


def _left_out(why: str, next: str) -> dict[str, Finding]:
    in_session = CHECKS[CHECKS.index(LOGIN) : CHECKS.index(LIMITS)]
    return dict.fromkeys([*in_session, LEFT_BEHIND], not_checked(why, next))


def _run(check: Callable[Given, Finding], *given: Given.args, **named: Given.kwargs) -> Finding:
    try:
        return check(*given, **named)
    except NoResponse as error:
        return _no_response(error)


def _no_response(error: NoResponse) -> Finding:
    return failed(str(error), "Check that the service and its proxy run, and read their logs.")
