"""The database: reading, and transactions that write.

Our rooms use `reading`, `writing` and `transaction`, over an engine of their own. `db` is for an
operator's own tables: see authsvc/database/own_tables.py.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authsvc.database.connecting import connect_app, dispose, our_engine
from authsvc.database.engine import LOCK_SECONDS, engine_options, prepare_engine, write_options
from authsvc.database.sqlite_lock import WriterLock
from authsvc.database.tables import Base, UTCDateTime, db, our_tables

RETRIES = 12
RETRY_SECONDS = 3.0
"""A transaction is not retried after that time: the request must end within ten seconds."""
RETRY_DELAY = 0.02
RETRY_DELAY_MAX = 0.2
"""Seconds. The delay is random, up to a bound that doubles with each retry."""
CONFLICTS = frozenset({"40001", "40P01"})
"""The SQLSTATEs of Postgres after which the same transaction may succeed: serialization_failure
and deadlock_detected (Postgres documentation, section 13.5)."""

T = TypeVar("T")


__all__ = [
    "LOCK_SECONDS",
    "Base",
    "UTCDateTime",
    "connect_app",
    "db",
    "dispose",
    "engine_options",
    "our_engine",
    "our_tables",
    "prepare_engine",
    "reading",
    "transaction",
    "write_options",
    "writing",
]


@contextmanager
def reading() -> Iterator[Connection]:
    """Yield a connection for one SELECT: each statement sees its own state of the database."""
    with our_engine().connect() as connection:
        yield connection


def transaction(work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction that may write, and return what it returns.

    The transaction is committed when `work` returns, and rolled back when it raises. If the
    database aborts it because of a conflict with another transaction, `work` runs again: it must
    change nothing except the database.

    Raises:
        SQLAlchemyError: the database refused a statement, did not answer, or aborted the
            transaction too often.
    """
    give_up = time.monotonic() + RETRY_SECONDS
    retry = 0
    while True:
        try:
            with writing() as connection:
                return work(connection)
        except DBAPIError as error:
            if not _is_conflict(error) or retry == RETRIES or time.monotonic() > give_up:
                raise
        delay = min(RETRY_DELAY * 2**retry, RETRY_DELAY_MAX)
        time.sleep(random.uniform(0, delay))  # noqa: S311
        retry += 1


def _is_conflict(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CONFLICTS


@contextmanager
def writing() -> Iterator[Connection]:
    """Yield the connection of a transaction that may write, without a retry: see `transaction`.

    On SQLite it takes the write lock at once. SQLite refuses the lock to a transaction that has
    read before another one wrote.
    """
    engine = our_engine()
    # The connection first: the pool bounds how many threads wait for the lock.
    with engine.connect() as connection, _writer_lock if engine.name == "sqlite" else nullcontext():
        connection.execution_options(**write_options)
        with connection.begin():
            yield connection


_writer_lock = WriterLock(LOCK_SECONDS)
