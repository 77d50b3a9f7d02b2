"""Reading the audit trail, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id
from authsvc.database import reading


@dataclass(frozen=True)
class Recorded:
    """An event as it was written down: see `record.Event`."""

    id: UUID
    at: datetime
    event: str
    user_id: UUID | None
    session: str | None
    actor: str
    ip_address: str | None
    user_agent: str | None
    detail: str | None

    def json(self) -> dict[str, Any]:
        """How a program is told of it by `authsvc audit --json`."""
        return {
            "id": str(self.id),
            "event": self.event,
            "at": clock.rfc3339(self.at),
            "actor": self.actor,
            "ip_address": self.ip_address,
            "user_agent": self.user_agent,
            "detail": self.detail,
        }


def newest(
    limit: int,
    *,
    user_id: UUID | None = None,
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
) -> list[Recorded]:
    """At most `limit` events, newest first.

    Args:
        limit: how many.
        user_id: whose.
        kinds: which.
        since, until: from when on, and up to when.
        before: the id of an event: only older ones.
    """
    id = SecurityEvent.id
    wanted = [
        None if user_id is None else SecurityEvent.user_id == user_id,
        SecurityEvent.event.in_(kinds) if kinds else None,
        None if since is None else id >= first_id(since),
        None if until is None else id < first_id(until),
        None if before is None else id < before,
    ]
    query = (
        select(*SecurityEvent.__table__.columns)
        .where(*(condition for condition in wanted if condition is not None))
        .order_by(id.desc())
        .limit(limit)
    )
    with reading() as connection:
        return [Recorded(**row) for row in connection.execute(query).mappings()]
