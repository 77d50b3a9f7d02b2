"""Which sessions are long over, so that their rows may go.

A revoked session's row stays until the session would have ended anyway. Until its access tokens
have run out every worker must hear of it, and for as long as its cookie may come back the answer
is that the session was ended, not that the cookie is forged. So there is one rule and one index.
"""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import bindparam, select

from authsvc import clock
from authsvc.database.purging import ExpiredRows
from authsvc.sessions.model import RefreshToken

KEPT = timedelta(hours=1)
"""For how long an expired row stays: a clock that is set back must not find it gone."""


def purge() -> Iterator[int]:
    """Remove all of them: see `ExpiredRows.remove_all`."""
    return _EXPIRED.remove_all(clock.now() - KEPT)


def purge_a_little() -> None:
    """Remove a few of them: see `ExpiredRows.remove_a_little`."""
    _EXPIRED.remove_a_little(clock.now() - KEPT)


_EXPIRED = ExpiredRows(
    RefreshToken.id,
    select(RefreshToken.id)
    .where(RefreshToken.expires_at < bindparam("before"))
    .order_by(RefreshToken.expires_at),
)
