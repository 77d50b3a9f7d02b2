"""Attempts counted in a table of our own database."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    TextualSelect,
    bindparam,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import clock
from authsvc.database import Base, UTCDateTime, reading, transaction
from authsvc.ratelimit.counts import Count, Tally

SWEEP = 2
"""Expired counts removed for each that is added, so that the table cannot grow for ever."""


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

        def add(connection: Connection) -> list[Tally]:
            added = connection.execute(_add(len(counts)), values)
            tallies = _in_order(counts, added, now)
            _sweep(connection, now, SWEEP * len(counts))
            return tallies

        return transaction(add)

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        now = clock.now()
        values = {"keys": [count.key for count in counts], "now": now}
        with reading() as connection:
            return _in_order(counts, connection.execute(_LOOK, values), now)

    def release(self, decrement: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        def change(connection: Connection) -> None:
            for count in sorted([*decrement, *forget], key=_key):
                statement = _FORGET if count in forget else _DECREMENT
                connection.execute(statement, {"which": count.key})

        transaction(change)


@cache  # bounded: by the number of limits that one attempt counts towards
def _add(rows: int) -> TextualSelect:
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
    return typed.columns(RateLimit.key, RateLimit.count, RateLimit.expires_at)


def _sweep(connection: Connection, now: datetime, at_most: int) -> None:
    """Remove some counts whose window has ended."""
    connection.execute(_SWEEP, {"now": now, "at_most": at_most})


# Evaluated once: Postgres may evaluate a subquery, and its LIMIT, for each row.
_EXPIRED = (
    select(RateLimit.key)
    .where(RateLimit.expires_at <= bindparam("now"))
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte()
)
_SWEEP = delete(RateLimit).where(RateLimit.key.in_(select(_EXPIRED.c.key)))
_LOOK = select(RateLimit.key, RateLimit.count, RateLimit.expires_at).where(
    RateLimit.key.in_(bindparam("keys", expanding=True)), RateLimit.expires_at > bindparam("now")
)
_FORGET = delete(RateLimit).where(RateLimit.key == bindparam("which"))
_DECREMENT = (
    update(RateLimit)
    .where(RateLimit.key == bindparam("which"), RateLimit.count > 0)
    .values(count=RateLimit.count - 1)
)


def _key(count: Count) -> str:
    return count.key


def _in_order(counts: Sequence[Count], rows: Iterable[Sequence[Any]], now: datetime) -> list[Tally]:
    tallies = {key: Tally(value, ends) for key, value, ends in rows}
    return [tallies.get(count.key, Tally(0, now)) for count in counts]
