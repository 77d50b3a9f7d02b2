"""Which security events are old enough to go."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id
from authsvc.database.purging import Batches


def purge(ttl: int) -> Iterator[int]:
    """Remove all events of more than `ttl` seconds ago: see `Batches.remove_all`."""
    return _OVER.remove_all(_before(ttl))


def purge_a_little(ttl: int) -> None:
    """Remove a few of them: see `Batches.remove_a_little`."""
    _OVER.remove_a_little(_before(ttl))


def _before(ttl: int) -> UUID:
    return first_id(clock.now() - timedelta(seconds=ttl))


_OVER = Batches(
    SecurityEvent.id,
    select(SecurityEvent.id)
    .where(SecurityEvent.id < bindparam("before"))
    .order_by(SecurityEvent.id),
)
