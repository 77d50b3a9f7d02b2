"""The life of the session that the doctor opened: logged in, refreshed, logged out, dead."""

import time

from authsvc.doctor.cookies import set_cookies
from authsvc.doctor.findings import Finding, all_well, failed, ok, warning
from authsvc.doctor.visit import Session, Visit
from authsvc.doctor.wire import Answer

MOST_ACCESS_SECONDS = 15 * 60
"""A longer life than this no access token may have."""

PROMISED, MOST_WAITED = 1.0, 1.5
"""Seconds after a logout in which access tokens die, and after which we wait no longer."""

PAUSE = 0.05

RESTART_WHAT_IS_OLD = (
    "See that every instance uses the same AUTHSVC_DATABASE_URL, and that none of an older "
    "version is left running."
)


def judge_login(answer: Answer, session: Session | None) -> Finding:
    """What came back for the right password."""
    if answer.status == 401:
        return failed(f"{answer.asked}: {answer}", "Check the test account's e-mail and password.")
    if answer.status == 429:
        wait = answer.header("Retry-After") or "some"
        return failed(
            f"{answer.asked}: {answer}",
            f"Wait {wait[:10]} seconds: too many logins failed for this account or address.",
        )
    if answer.status != 200 or session is None:
        return failed(
            f"{answer.asked}: {answer}, without one access token and one refresh cookie",
            "See the service's log by the request id, and that no proxy changes the answer.",
        )
    lives = answer.json.get("expires_in")
    faults = []
    if answer.json.get("token_type") != "Bearer":
        faults.append("token_type is not Bearer")
    if type(lives) is not int or not 0 < lives <= MOST_ACCESS_SECONDS:
        faults.append(f"expires_in is not between 1 and {MOST_ACCESS_SECONDS} seconds")
    if session.cookie.value.encode() in answer.body:
        faults.append("the refresh token stands in the body, where scripts read it")
    return all_well(
        f"{answer.asked}: {answer}, access token for {lives} s",
        faults,
        f"Set AUTHSVC_ACCESS_TOKEN_TTL to at most {MOST_ACCESS_SECONDS}, and let no proxy change "
        "the answer.",
    )


def check_refresh(visit: Visit, session: Session) -> Finding:
    """Twice with one cookie: two access tokens that work, and never a cookie."""
    faults = []
    for _ in range(2):
        answer = visit.wire.ask("POST", "/auth/refresh", session.cookies)
        token = answer.json.get("access_token")
        if answer.status != 200 or not isinstance(token, str):
            faults.append(f"{answer.asked}: {answer}, without an access token")
        elif session.cookie.value.encode() in answer.body:
            faults.append(f"{answer.asked}: the refresh token stands in the body")
        faults += [f"{answer.asked} sets the cookie {one.name!r}" for one in set_cookies(answer)]
    return all_well(
        "POST /auth/refresh twice: 200, no Set-Cookie",
        list(dict.fromkeys(faults)),
        "Let no proxy add cookies (stickiness by cookie, for one) or answer from a cache; see that "
        "every instance has the same AUTHSVC_REFRESH_TOKEN_SECRET and AUTHSVC_DATABASE_URL.",
    )


def check_refresh_after_logout(visit: Visit, session: Session) -> Finding:
    """Dead at once: the 204 came after the commit."""
    answer = visit.wire.ask("POST", "/auth/refresh", session.cookies)
    faults = [f"{answer.asked} after the logout: {answer}"] * (answer.status != 401)
    return all_well(f"{answer.asked} after it: {answer}", faults, RESTART_WHAT_IS_OLD)


def check_access_after_logout(visit: Visit, session: Session, since: float) -> Finding:
    """Dead within a second, on each worker that happens to answer.

    Args:
        since: the monotonic clock's time when the logout was answered.
    """
    last, tries = None, 0
    while (asked := time.monotonic() - since) < MOST_WAITED:
        answer = visit.wire.ask("GET", "/api/me", session.bearer)
        last = asked if answer.status == 200 else last
        tries += 1
        time.sleep(PAUSE)
    answer = visit.wire.ask("GET", "/api/me", session.bearer)
    if answer.status != 401:
        return failed(f"{answer.asked} {MOST_WAITED} s after it: {answer}", RESTART_WHAT_IS_OLD)
    if last is not None and last >= PROMISED:
        return warning(
            f"{answer.asked} was last let in {last:.1f} s after it",
            "See whether the service or its database is overloaded: a second is promised.",
        )
    life = "never let in" if last is None else f"last let in {last:.1f} s after it"
    return ok(f"{answer.asked}, asked {tries + 1} times: {life}")


def check_left_behind(visit: Visit, email: str) -> Finding:
    """Log out of whatever is still open, whatever failed before."""
    opened, faults = visit.end_sessions()
    return all_well(
        f"{opened} session{'s'[: opened != 1]} opened, all logged out",
        faults,
        f"End them by `authsvc sessions revoke {email}`.",
    )
