"""The database: reading, transactions that write, and the type of its time columns.

Our rooms use `reading`, `writing` and `transaction`, over an engine of their own. `db` is for an
operator's own tables: see authsvc/database/own_tables.py.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TypeVar

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, Table, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from authsvc.database.engine import (
    LOCK_SECONDS,
    discard_lost_connections,
    engine_options,
    prepare_engine,
    write_options,
)
from authsvc.database.own_tables import ContextSession, begin_at_first_write
from authsvc.database.pool import CONNECTIONS, OWN_CONNECTIONS, STUCK_SECONDS, WAIT_SECONDS
from authsvc.database.sqlite_lock import WriterLock

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


class Base(DeclarativeBase):
    """The base of every table's class."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def our_tables() -> list[Table]:
    """Return the tables of the models that are imported, without an operator's.

    A table comes after those that it refers to.
    """
    ours = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("authsvc.")
    }
    return [table for table in Base.metadata.sorted_tables if table in ours]


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": ContextSession})


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases. SQLite's driver returns naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time must have a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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


def our_engine() -> Engine:
    """Return the engine of our rooms for the current app's database."""
    engine: Engine = current_app.extensions[_ENGINE]
    return engine


_ENGINE = "authsvc.engine"


def dispose(*, close: bool = True) -> None:
    """Drop the current app's pooled connections, ours and those of an operator's own tables.

    Args:
        close: False after a fork: the connections are still the parent's.
    """
    our_engine().dispose(close=close)
    db.engine.dispose(close=close)


def connect_app(app: Flask, url: str) -> Engine:
    """Connect the app to that database, and return our rooms' engine.

    Args:
        app: the app.
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, OWN_CONNECTIONS, WAIT_SECONDS)
    db.init_app(app)
    # It closes sessions after every request. A session of ours sees to it, if there is one.
    app.teardown_appcontext_funcs.clear()
    with app.app_context():
        own = db.engine
    ours = create_engine(own.url, **engine_options(url, CONNECTIONS, STUCK_SECONDS))
    app.extensions[_ENGINE] = ours
    for engine in (ours, own):
        _prepare(engine)
    if own.name == "sqlite":
        begin_at_first_write(own, LOCK_SECONDS)
    event.listen(own, "engine_disposed", lambda _: ours.dispose())
    return ours


def _prepare(engine: Engine) -> None:
    prepare_engine(engine)
    discard_lost_connections(engine)
    if engine.name != "sqlite":
        # Imported here: only an operator who has Postgres needs its library.
        from authsvc.database.postgres import set_deadlines

        set_deadlines(engine)
