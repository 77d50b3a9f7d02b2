"""The table of sessions. Each row is one refresh token; its id is the `sid` of both tokens."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, exists
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.database import Base, UTCDateTime
from authsvc.users.model import User


class RefreshToken(Base):
    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    token_hash: Mapped[bytes]
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user_agent: Mapped[str | None]
    ip_address: Mapped[str | None]
    key_thumbprint: Mapped[str | None]
    device_key: Mapped[str | None]
    amr: Mapped[str] = mapped_column(server_default="pwd")
    authenticated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # None in rows of an earlier version: the user authenticated when the session was opened.

    __table_args__ = (
        Index(None, "user_id"),
        # It holds revoked sessions only: migration 0008 says so. To say it here too would load what
        # SQLAlchemy has for the other database, at each start.
        Index("ix_refresh_tokens_revoked", "revoked_at"),
        Index(None, "expires_at"),
    )


def is_live(now: datetime, idle_ttl: timedelta) -> ColumnElement[bool]:
    """Return the condition that a session is live: not revoked, not expired, not idle too long.

    Its user must exist and not be disabled.
    """
    return and_(
        RefreshToken.revoked_at.is_(None),
        RefreshToken.expires_at > now,
        RefreshToken.last_used_at > now - idle_ttl,
        exists().where(User.id == RefreshToken.user_id, User.disabled_at.is_(None)),
    )
