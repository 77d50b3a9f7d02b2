"""Compare the service's clock with this machine's."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from authsvc.doctor.deployment import Deployment, Session
from authsvc.doctor.findings import Finding, failed, not_checked, ok, warning
from authsvc.doctor.forgery import claims_of
from authsvc.doctor.response import Response

LEEWAY = 10
"""Seconds by which a token's verifier lets clocks differ."""

NOTABLE = 2
SET_THE_CLOCKS = (
    "Synchronize both clocks by NTP: a service whose clock differs by more refuses valid tokens."
)


def check_date(deployment: Deployment) -> Finding:
    """Check the Date header (RFC 9110 section 6.6.1), which a proxy may have set."""
    response = deployment.client.responses[-1]
    try:
        date = parsedate_to_datetime(response.header("Date") or "")
    except (ValueError, OverflowError):
        return failed("no valid Date header", "Configure the proxies to keep the Date header.")
    return _compared("Date", date, response)


def check_iat(deployment: Deployment, session: Session) -> Finding:
    """Check the access token's `iat`, which the service's own clock has set."""
    iat = claims_of(session.access_token).get("iat")
    if type(iat) is not int or not 0 <= iat < 2**33:
        return not_checked(
            "the access token has no readable iat",
            "Check that the token is the service's. If it is opaque on purpose, ignore this.",
        )
    date = datetime.fromtimestamp(iat, session.response.sent_at.tzinfo)
    return _compared("iat of the access token", date, session.response)


def _compared(what: str, theirs: datetime, response: Response) -> Finding:
    """Compare their time, which has no fractions of a second, with the span of the request."""
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=response.sent_at.tzinfo)
    ahead = (theirs - response.received_at).total_seconds()
    behind = (response.sent_at - theirs - timedelta(seconds=1)).total_seconds()
    seconds = max(0, ahead, behind)
    found = f"{what}: {seconds:.0f} s {'ahead' if ahead > 0 else 'behind'}"
    if seconds > LEEWAY:
        return failed(found, SET_THE_CLOCKS)
    if seconds > NOTABLE:
        return warning(found, SET_THE_CLOCKS)
    return ok(f"{what}: equals this machine's time")
