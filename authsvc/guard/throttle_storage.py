"""Where the counts are kept: a table of our own database, or Redis."""

from datetime import datetime, timedelta
from typing import Any, cast

from limits.storage import Storage, storage_from_string
from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import clock
from authsvc.database import Base, UTCDateTime, db, reading, writing

SWEEP = 2
"""Dead counts removed whenever one is added: the table cannot grow."""


class RateLimit(Base):
    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


def throttle_storage(where: str) -> Storage:
    """The storage that a setting names.

    Args:
        where: ``database``, or a ``redis://`` URL.
    """
    if where == "database":
        return DatabaseStorage()
    redis = storage_from_string(
        where, wrap_exceptions=True, socket_timeout=2, socket_connect_timeout=2
    )
    return cast(Storage, redis)


class DatabaseStorage(Storage):
    """Counts in windows that begin with the first attempt; exact over any number of processes."""

    STORAGE_SCHEME = None

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = clock.now()
        insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
        new = insert(RateLimit).values(
            key=key, count=amount, expires_at=now + timedelta(seconds=expiry)
        )
        over = RateLimit.expires_at <= now
        upsert = new.on_conflict_do_update(
            index_elements=[RateLimit.key],
            set_={
                "count": case((over, amount), else_=RateLimit.count + amount),
                "expires_at": case((over, new.excluded.expires_at), else_=RateLimit.expires_at),
            },
        ).returning(RateLimit.count)
        dead = (
            select(RateLimit.key)
            .where(RateLimit.expires_at <= now, RateLimit.key != key)
            .limit(SWEEP)
            .with_for_update(skip_locked=True)
        )
        with writing() as connection:
            connection.execute(delete(RateLimit).where(RateLimit.key.in_(dead)))
            return int(connection.execute(upsert).scalar_one())

    def get(self, key: str) -> int:
        row = self._live(key)
        return row.count if row else 0

    def get_expiry(self, key: str) -> float:
        row = self._live(key)
        return (row.expires_at if row else clock.now()).timestamp()

    def check(self) -> bool:
        with reading() as connection:
            connection.execute(select(1))
        return True

    def clear(self, key: str) -> None:
        with writing() as connection:
            connection.execute(delete(RateLimit).where(RateLimit.key == key))

    def reset(self) -> None:
        with writing() as connection:
            connection.execute(delete(RateLimit))

    def _live(self, key: str) -> Any:
        with reading() as connection:
            return connection.execute(
                select(RateLimit.count, RateLimit.expires_at).where(
                    RateLimit.key == key, RateLimit.expires_at > clock.now()
                )
            ).one_or_none()
