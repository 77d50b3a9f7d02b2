"""Remove the rows of sessions that expired long ago.

A revoked session keeps its row until the session would have expired. Every worker must read the
revocation until the session's access tokens have expired, and a request that still sends its
cookie gets `refresh_token_revoked` instead of `refresh_token_invalid`. So there is one rule for
all sessions, and one index serves it.
"""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import bindparam, select

from authsvc import clock
from authsvc.database.purging import ExpiredRows
from authsvc.sessions.model import RefreshToken

KEPT = timedelta(hours=1)
"""How long an expired row stays. If the clock is set back, or is behind on another instance, the
row of a revoked session must exist until its last access token is refused as expired."""


def purge() -> Iterator[int]:
    """Remove all expired sessions and yield each batch's size: see `ExpiredRows.remove_all`."""
    return _EXPIRED.remove_all(clock.now() - KEPT)


def purge_a_little() -> None:
    """Remove one batch of expired sessions: see `ExpiredRows.remove_a_little`."""
    _EXPIRED.remove_a_little(clock.now() - KEPT)


_EXPIRED = ExpiredRows(
    RefreshToken.id,
    select(RefreshToken.id)
    .where(RefreshToken.expires_at < bindparam("before"))
    .order_by(RefreshToken.expires_at),
)
