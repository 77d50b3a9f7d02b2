"""List a user's live sessions."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import case, select

from authsvc import clock
from authsvc.database import reading
from authsvc.sessions.model import RefreshToken, is_live
from authsvc.web.outputs import Instant


@dataclass(frozen=True)
class LiveSession:
    """A session as the API shows it to its owner.

    Args:
        id: the id by which it can be ended; the `sid` claim of its access tokens.
        created_at: the time of the login.
        expires_at: when it expires; nothing extends it.
        last_used_at: when it was last refreshed, to within an hour.
        user_agent: the User-Agent header of the login.
        ip_address: the network address that the login came from.
        current: whether this is the session of the request.
        bound: `key` if it can be refreshed only with a proof of a key that its page keeps, `device`
            if only with one that the browser itself renews with a key of the device; null if the
            cookie alone is enough.
    """

    id: UUID
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant
    user_agent: str | None = field(metadata={"examples": ["Mozilla/5.0 (X11; Linux x86_64)"]})
    ip_address: str | None = field(metadata={"examples": ["192.0.2.7"]})
    current: bool
    bound: Literal["key", "device"] | None


def live_sessions(
    user_id: UUID, idle_ttl: timedelta, *, current: UUID | None = None
) -> list[LiveSession]:
    """Return the user's live sessions, newest first.

    Args:
        user_id: the owner of the sessions.
        idle_ttl: how long a session may go unused.
        current: the session of the request.
    """
    columns = (
        RefreshToken.id,
        RefreshToken.issued_at.label("created_at"),
        RefreshToken.expires_at,
        RefreshToken.last_used_at,
        RefreshToken.user_agent,
        RefreshToken.ip_address,
        case(
            (RefreshToken.key_thumbprint.is_not(None), "key"),
            (RefreshToken.device_key.is_not(None), "device"),
        ).label("bound"),
    )
    with reading() as connection:
        rows = (
            connection.execute(
                select(*columns)
                .where(RefreshToken.user_id == user_id, is_live(clock.now(), idle_ttl))
                .order_by(RefreshToken.id.desc())
            )
            .mappings()
            .all()
        )
    return [LiveSession(**row, current=row["id"] == current) for row in rows]
