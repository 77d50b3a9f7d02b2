"""Remove security events that are older than the configured age."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id
from authsvc.database.purging import ExpiredRows


def purge(ttl: int) -> Iterator[int]:
    """Remove all events older than `ttl` seconds: see `ExpiredRows.remove_all`."""
    return _EXPIRED.remove_all(_before(ttl))


def purge_a_little(ttl: int) -> None:
    """Remove a few of these events: see `ExpiredRows.remove_a_little`."""
    _EXPIRED.remove_a_little(_before(ttl))


def _before(ttl: int) -> UUID:
    return first_id(clock.now() - timedelta(seconds=ttl))


_EXPIRED = ExpiredRows(
    SecurityEvent.id,
    select(SecurityEvent.id)
    .where(SecurityEvent.id < bindparam("before"))
    .order_by(SecurityEvent.id),
)
