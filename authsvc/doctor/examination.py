"""The whole examination: which checks there are, in which order, and what they need."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from authsvc.doctor import clocks, contract, cookies, cross_origin, forgery, headers, proxies
from authsvc.doctor.findings import Finding, failed, not_checked
from authsvc.doctor.limits import check_limits, leave_limits_out
from authsvc.doctor.session import (
    check_access_after_logout,
    check_left_behind,
    check_refresh,
    check_refresh_after_logout,
    judge_login,
)
from authsvc.doctor.target import Target
from authsvc.doctor.tls import look_at_transport
from authsvc.doctor.visit import Account, Session, Visit
from authsvc.doctor.wire import NoAnswer, Wire

Given = ParamSpec("Given")


@dataclass(frozen=True)
class Row:
    """One line of the report: the check's name, and its finding."""

    check: str
    finding: Finding


FROM_OUTSIDE: dict[str, Callable[[Visit], Finding]] = {
    "the contract": contract.check_contract,
    "errors": contract.check_problems,
    "protected routes": contract.check_protection,
    "clock": clocks.check_date,
    "cookie when cleared": lambda visit: cookies.check_attributes(
        contract.refresh_without_cookie(visit), visit.wire.target, cleared=True
    ),
    "SameSite": lambda visit: cookies.check_samesite(
        contract.refresh_without_cookie(visit), visit.wire.target, visit.origin
    ),
    "own origin": cross_origin.check_own_origin,
    "CORS": cross_origin.check_cors,
    "CORS for strangers": cross_origin.check_strangers_cors,
    "strangers' pages": cross_origin.check_strangers_refused,
    "proxy headers": proxies.check_headers_of_proxies,
}
"""What needs no account."""

LOGIN = "login"
IN_SESSION: dict[str, Callable[[Visit, Session], Finding]] = {
    "cookie": lambda visit, session: cookies.check_attributes(
        session.answer, visit.wire.target, cleared=False
    ),
    "client's address": proxies.check_client_address,
    "clock of tokens": clocks.check_iat,
    "access token": forgery.check_access_token,
    "forged access": forgery.check_forged_access_tokens,
    "forged refresh": forgery.check_forged_refresh_tokens,
    "refresh": check_refresh,
}
"""What needs a session; the logout and what must be dead after it follow."""

LOGOUT, DEAD_REFRESH, DEAD_ACCESS = "logout", "refresh, logged out", "access, logged out"
LIMITS, LEFT_BEHIND = "limits", "left behind"

AT_THE_END: dict[str, Callable[[Visit], Finding]] = {
    "HSTS": headers.check_hsts,
    "headers": headers.check_headers,
    "server's version": headers.check_server,
}
"""What is judged over all the answers."""

CHECKS = [
    *("TLS", *FROM_OUTSIDE, LOGIN, *IN_SESSION, LOGOUT, DEAD_REFRESH, DEAD_ACCESS),
    *(LIMITS, LEFT_BEHIND, *AT_THE_END),
]
"""The names of all checks, in the order of the report."""


def examine(
    target: Target, *, origin: str | None, account: Account | None, try_limits: bool
) -> list[Row]:
    """Look at a deployment; each check has its row, those that were left out too.

    Args:
        target: the service.
        origin: the page's, for what depends on it.
        account: for what needs a session.
        try_limits: whether to make wrong logins until they are refused.

    Raises:
        NoAnswer: it cannot be reached at all.
    """
    transport = look_at_transport(target)
    wire = Wire(target, transport.context)
    visit = Visit(wire, origin)
    contract.refresh_without_cookie(visit)
    findings = {"TLS": transport.finding}
    for name, check in FROM_OUTSIDE.items():
        findings[name] = _made(check, visit)
    if account is None:
        findings |= _left_out("it needs an account", "Add --email with a test account's address.")
    elif not transport.private:
        why = "no password is sent over a connection that others may read"
        findings |= _left_out(why, "See to TLS first.")
    else:
        try:
            findings |= _in_session(visit, account)
        finally:
            findings[LEFT_BEHIND] = check_left_behind(visit, account.email)
    findings[LIMITS] = _made(check_limits, visit) if try_limits else leave_limits_out()
    for name, check in AT_THE_END.items():
        findings[name] = check(visit)
    return [Row(name, findings[name]) for name in CHECKS]


def _in_session(visit: Visit, account: Account) -> dict[str, Finding]:
    try:
        answer, session = visit.log_in(account, proxies.ADDRESS_LIES)
    except NoAnswer as error:
        return {**_left_out(*NO_SESSION), LOGIN: _no_answer(error)}
    login = judge_login(answer, session)
    if session is None:
        return {**_left_out(*NO_SESSION), LOGIN: login}
    findings = {LOGIN: login}
    for name, check in IN_SESSION.items():
        findings[name] = _made(check, visit, session)
    findings[LOGOUT] = _made(_log_out, visit, session)
    since = time.monotonic()
    findings[DEAD_REFRESH] = _made(check_refresh_after_logout, visit, session)
    findings[DEAD_ACCESS] = _made(check_access_after_logout, visit, session, since)
    return findings


def _log_out(visit: Visit, session: Session) -> Finding:
    answer = visit.wire.ask("POST", "/auth/logout", session.cookies)
    if answer.status != 204:
        return failed(f"{answer.asked}: {answer}, not 204", "See the service's log and database.")
    return cookies.check_attributes(answer, visit.wire.target, cleared=True)


NO_SESSION = ("it needs a session, and there is none", "See to the login first.")


def _left_out(why: str, next: str) -> dict[str, Finding]:
    names = (LOGIN, *IN_SESSION, LOGOUT, DEAD_REFRESH, DEAD_ACCESS, LEFT_BEHIND)
    return dict.fromkeys(names, not_checked(why, next))


def _made(check: Callable[Given, Finding], *given: Given.args, **named: Given.kwargs) -> Finding:
    try:
        return check(*given, **named)
    except NoAnswer as error:
        return _no_answer(error)


def _no_answer(error: NoAnswer) -> Finding:
    return failed(str(error), "See whether the service and its proxy are up, and their logs.")
