"""List a user's live sessions."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from authsvc import clock
from authsvc.database import reading
from authsvc.sessions.model import RefreshToken, is_live
from authsvc.web.outputs import Instant


@dataclass(frozen=True)
class LiveSession:
    """A session as its owner is told of it.

    Args:
        id: by which it can be ended; the `sid` claim of its access tokens.
        created_at: when its owner logged in.
        expires_at: when it ends by itself; nothing puts that off.
        last_used_at: when it was last refreshed, to within an hour.
        user_agent: what the browser called itself at the login.
        ip_address: from where the login came.
        current: whether the question comes from this very session.
    """

    id: UUID
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant
    user_agent: str | None = field(metadata={"examples": ["Mozilla/5.0 (X11; Linux x86_64)"]})
    ip_address: str | None = field(metadata={"examples": ["192.0.2.7"]})
    current: bool


def live_sessions(
    user_id: UUID, idle_ttl: timedelta, *, current: UUID | None = None
) -> list[LiveSession]:
    """The user's live sessions, newest first.

    Args:
        user_id: whose.
        idle_ttl: how long a session may go unused.
        current: the session that asks.
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
    return [LiveSession(*row, current=row.id == current) for row in rows]
