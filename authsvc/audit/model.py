"""The table of security events; rows are added, read and, when they are old, removed."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from authsvc.database import Base, UTCDateTime

ActorKind = Literal["user", "operator"]
"""Who causes an event: a user by a request, or an operator by a command."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SecurityEvent(Base):
    __tablename__ = "security_events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    event: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session: Mapped[str | None]
    actor: Mapped[str]
    ip_address: Mapped[str | None]
    user_agent: Mapped[str | None]
    detail: Mapped[str | None]
    operator: Mapped[str | None]

    __table_args__ = (Index(None, "user_id", "id"),)


def new_ids(at: datetime, number: int) -> list[UUID]:
    """Return `number` ids for that instant, in ascending order.

    An id begins with its instant in milliseconds (UUIDv7, RFC 9562 section 5.7), and both
    databases sort ids in the order of time, so queries by time use the primary key.
    """
    return sorted(uuid7(nanoseconds=_milliseconds(at) * 1_000_000) for _ in range(number))


def first_id(at: datetime) -> UUID:
    """Return a lower bound of all ids of that instant and later."""
    return UUID(int=_milliseconds(at) << 80)


def _milliseconds(at: datetime) -> int:
    return max(0, (at - _EPOCH) // timedelta(milliseconds=1))
