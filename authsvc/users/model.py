"""The table of users. Operators import rows into it, so its column names are a contract."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from authsvc.database import Base, UTCDateTime


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    email_verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    locale: Mapped[str | None]
    roles: Mapped[str] = mapped_column(server_default="")
    # One text, so that SQL can write it: see authsvc/roles.py. The default is for statements that
    # do not name the column: imports, and an older version that still runs during an upgrade.
