"""Attempts counted in a table of our own database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, delete, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import clock
from authsvc.database import Base, UTCDateTime, reading, writing
from authsvc.database.compiled import Command, Query
from authsvc.ratelimit.counts import Count, Tally

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
            rows = _add(len(counts)).all(connection, **values)
            _SWEEP.run(connection, now=now, most=SWEEP * len(counts))
        return _in_order(counts, rows)

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        with reading() as connection:
            keys = {f"key_{row}": count.key for row, count in enumerate(counts)}
            rows = _look(len(counts)).all(connection, now=clock.now(), **keys)
        return _in_order(counts, rows)

    def settle(self, give_back: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        with writing() as connection:
            for count in sorted([*give_back, *forget], key=_key):
                change = _FORGET if count in forget else _ONE_LESS
                change.run(connection, which=count.key)


class _Row(NamedTuple):
    key: str
    value: int
    ends: datetime


@cache
def _add(rows: int) -> Query[_Row]:
    # As text, which both databases read alike: SQLAlchemy has an ON CONFLICT of its own for each.
    new = ", ".join(f"(:key_{row}, :amount, :ends_{row})" for row in range(rows))
    statement = text(
        f"""
        INSERT INTO rate_limits (key, count, expires_at) VALUES {new}
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN rate_limits.expires_at <= :now THEN excluded.count
                    ELSE rate_limits.count + excluded.count END,
            expires_at = CASE WHEN rate_limits.expires_at <= :now THEN excluded.expires_at
                         ELSE rate_limits.expires_at END
        RETURNING key, count, expires_at
        """  # noqa: S608
    )
    times = ["now", *(f"ends_{row}" for row in range(rows))]
    typed = statement.bindparams(*(bindparam(time, type_=UTCDateTime) for time in times))
    return Query(typed.columns(RateLimit.key, RateLimit.count, RateLimit.expires_at), _Row)


@cache
def _look(rows: int) -> Query[_Row]:
    keys = [bindparam(f"key_{row}", type_=String) for row in range(rows)]
    look = select(RateLimit.key, RateLimit.count, RateLimit.expires_at).where(
        RateLimit.key.in_(keys), RateLimit.expires_at > bindparam("now")
    )
    return Query(look, _Row)


_SWEEP = Command(
    delete(RateLimit).where(
        RateLimit.key.in_(
            select(RateLimit.key)
            .where(RateLimit.expires_at <= bindparam("now"))
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
)
_FORGET = Command(delete(RateLimit).where(RateLimit.key == bindparam("which")))
_ONE_LESS = Command(
    update(RateLimit)
    .where(RateLimit.key == bindparam("which"), RateLimit.count > 0)
    .values(count=RateLimit.count - 1)
)


def _key(count: Count) -> str:
    return count.key


def _in_order(counts: Sequence[Count], rows: list[_Row]) -> list[Tally]:
    tallies = {row.key: Tally(row.value, row.ends) for row in rows}
    return [tallies.get(count.key, Tally(0, clock.now())) for count in counts]
