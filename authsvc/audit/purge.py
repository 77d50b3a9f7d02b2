"""Which security events are old enough to go."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id
from authsvc.batches import remove_a_little, remove_all


def purge(ttl: int) -> Iterator[int]:
    """Remove all events of more than `ttl` seconds ago: see `remove_all`."""
    return remove_all(SecurityEvent.id, _over(ttl))


def purge_a_little(ttl: int) -> None:
    """Remove a few of them: see `remove_a_little`."""
    remove_a_little(SecurityEvent.id, _over(ttl))


def _over(ttl: int) -> Select[UUID]:
    return (
        select(SecurityEvent.id)
        .where(SecurityEvent.id < first_id(clock.now() - timedelta(seconds=ttl)))
        .order_by(SecurityEvent.id)
    )
