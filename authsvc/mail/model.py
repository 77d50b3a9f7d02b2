"""The table of mails that wait to be sent. A mail that was sent has no row."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.database import Base, UTCDateTime


class WaitingMail(Base):
    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    email: Mapped[str]
    email_key: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int]
    lease: Mapped[UUID | None]

    __table_args__ = (Index(None, "due_at"), Index(None, "email_key"), Index(None, "user_id"))
