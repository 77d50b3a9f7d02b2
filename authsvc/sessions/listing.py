"""A person's live sessions: where they are logged in, and the end of one of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from authsvc import clock
from authsvc.audit.record import Event, record
from authsvc.database import reading, writing
from authsvc.problems import NotFound
from authsvc.sessions.model import RefreshToken, is_live


@dataclass(frozen=True)
class LiveSession:
    """A session as its owner sees it."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime
    user_agent: str | None
    ip_address: str | None

    def json(self, *, current: bool) -> dict[str, Any]:
        """How its owner is told of it.

        Args:
            current: whether the question comes from this very session.
        """
        return {
            "id": str(self.id),
            "created_at": clock.rfc3339(self.created_at),
            "expires_at": clock.rfc3339(self.expires_at),
            "last_used_at": clock.rfc3339(self.last_used_at),
            "user_agent": self.user_agent,
            "ip_address": self.ip_address,
            "current": current,
        }


def live_sessions(user_id: UUID, idle_ttl: timedelta) -> list[LiveSession]:
    """The user's live sessions, newest first.

    Args:
        user_id: whose.
        idle_ttl: how long a session may go unused.
    """
    columns = (
        RefreshToken.id,
        RefreshToken.issued_at,
        RefreshToken.expires_at,
        RefreshToken.last_used_at,
        RefreshToken.user_agent,
        RefreshToken.ip_address,
    )
    with reading() as connection:
        rows = connection.execute(
            select(*columns)
            .where(RefreshToken.user_id == user_id, is_live(clock.now(), idle_ttl))
            .order_by(RefreshToken.id.desc())
        ).all()
    return [LiveSession(*row) for row in rows]


def revoke_one(user_id: UUID, sid: UUID, idle_ttl: timedelta) -> None:
    """End one live session of the user.

    Raises:
        NotFound: the user has no such session.
    """
    now = clock.now()
    with writing() as connection:
        revoked = connection.execute(
            update(RefreshToken)
            .where(
                RefreshToken.id == sid,
                RefreshToken.user_id == user_id,
                is_live(now, idle_ttl),
            )
            .values(revoked_at=now)
            .returning(RefreshToken.id)
        )
        if revoked.one_or_none() is None:
            raise NotFound("There is no such live session.")
        record(connection, Event("session_revoked", user_id, sid))
