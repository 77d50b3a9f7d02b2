"""How far the service's clock is from this machine's."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from authsvc.doctor.findings import Finding, failed, not_checked, ok, warning
from authsvc.doctor.forgery import claims_of
from authsvc.doctor.visit import Session, Visit
from authsvc.doctor.wire import Answer

LEEWAY = 10
"""Seconds that verifiers of tokens let clocks differ."""

NOTABLE = 2
SET_THE_CLOCKS = (
    "Set both clocks by NTP and see which of them was wrong: other services refuse tokens that "
    "are older or newer than they should be."
)


def check_date(visit: Visit) -> Finding:
    """The Date header (RFC 9110 section 6.6.1), which may be a proxy's."""
    answer = visit.wire.answers[-1]
    try:
        date = parsedate_to_datetime(answer.header("Date") or "")
    except (ValueError, OverflowError):
        return failed("no Date header that can be read", "Let no proxy take the Date header away.")
    return _compared("Date", date, answer)


def check_iat(visit: Visit, session: Session) -> Finding:
    """The access token's `iat`, which is the service's own clock."""
    iat = claims_of(session.access_token).get("iat")
    if type(iat) is not int or not 0 <= iat < 2**33:
        return not_checked(
            "the access token shows no iat that can be read",
            "Nothing, where it is opaque on purpose; else see that it is the service's.",
        )
    date = datetime.fromtimestamp(iat, session.answer.sent_at.tzinfo)
    return _compared("iat of the access token", date, session.answer)


def _compared(what: str, theirs: datetime, answer: Answer) -> Finding:
    """Their time is cut to the second, and was read somewhere between request and answer."""
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=answer.sent_at.tzinfo)
    ahead = (theirs - answer.received_at).total_seconds()
    behind = (answer.sent_at - theirs - timedelta(seconds=1)).total_seconds()
    seconds = max(0, ahead, behind)
    found = f"{what}: {seconds:.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if seconds > LEEWAY:
        return failed(found, SET_THE_CLOCKS)
    if seconds > NOTABLE:
        return warning(found, SET_THE_CLOCKS)
    return ok(f"{what}: the same time as here")
