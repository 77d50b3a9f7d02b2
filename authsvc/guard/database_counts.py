"""Attempts counted in a table of our own database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, Integer, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import clock
from authsvc.database import Base, UTCDateTime, reading, writing
from authsvc.guard.counts import Count, Tally

SWEEP = 2
"""Dead counts removed for each that is added: the table cannot grow."""


class RateLimit(Base):
    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class DatabaseCounts:
    """Counts in our own database: each call is one transaction.

    Rows are always locked in the order of their keys, so that no two calls wait for each other.
    """

    def add(self, counts: Sequence[Count], amount: int = 1) -> list[Tally]:
        now = clock.now()
        values: dict[str, Any] = {"amount": amount, "now": now}
        for row, count in enumerate(sorted(counts, key=_key)):
            values[f"key_{row}"] = count.key
            values[f"ends_{row}"] = now + timedelta(seconds=count.seconds)
        with writing() as connection:
            rows = connection.execute(_upsert(connection.dialect.name, len(counts)), values).all()
            connection.execute(_SWEEP, {"now": now, "most": SWEEP * len(counts)})
        return _in_order(counts, {key: Tally(value, ends) for key, value, ends in rows})

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        with reading() as connection:
            values = {"keys": [count.key for count in counts], "now": clock.now()}
            rows = connection.execute(_LOOK, values).all()
        return _in_order(counts, {key: Tally(value, ends) for key, value, ends in rows})

    def settle(self, give_back: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        with writing() as connection:
            for count in sorted([*give_back, *forget], key=_key):
                change = _FORGET if count in forget else _ONE_LESS
                connection.execute(change, {"which": count.key})


@cache
def _upsert(dialect: str, rows: int) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    amount = bindparam("amount", type_=Integer)
    new = insert(RateLimit).values(
        [
            {
                "key": bindparam(f"key_{row}"),
                "count": amount,
                "expires_at": bindparam(f"ends_{row}"),
            }
            for row in range(rows)
        ]
    )
    over = RateLimit.expires_at <= bindparam("now")
    return new.on_conflict_do_update(
        index_elements=[RateLimit.key],
        set_={
            "count": case((over, amount), else_=RateLimit.count + amount),
            "expires_at": case((over, new.excluded.expires_at), else_=RateLimit.expires_at),
        },
    ).returning(RateLimit.key, RateLimit.count, RateLimit.expires_at)


_SWEEP = delete(RateLimit).where(
    RateLimit.key.in_(
        select(RateLimit.key)
        .where(RateLimit.expires_at <= bindparam("now"))
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
)
_LOOK = select(RateLimit.key, RateLimit.count, RateLimit.expires_at).where(
    RateLimit.key.in_(bindparam("keys", expanding=True)),
    RateLimit.expires_at > bindparam("now"),
)
_FORGET = delete(RateLimit).where(RateLimit.key == bindparam("which"))
_ONE_LESS = (
    update(RateLimit)
    .where(RateLimit.key == bindparam("which"), RateLimit.count > 0)
    .values(count=RateLimit.count - 1)
)


def _key(count: Count) -> str:
    return count.key


def _in_order(counts: Sequence[Count], tallies: dict[str, Tally]) -> list[Tally]:
    return [tallies.get(count.key, Tally(0, clock.now())) for count in counts]
