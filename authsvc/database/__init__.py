"""The database: its connections, its two kinds of transaction, and the columns' own types."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from authsvc.database.sqlite_lock import Turn, begin_immediate

CONNECT_SECONDS = 3
LOCK_SECONDS = 4
STATEMENT_SECONDS = 5

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

write_options = {"authsvc_writes": True}
"""Execution options of a connection whose transactions write."""


class Base(DeclarativeBase):
    """What every table's class derives from."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(metadata=Base.metadata)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, in UTC on both databases; SQLite by itself gives back naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection that only reads: one statement, which sees one state of the database."""
    with db.engine.connect() as connection:
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
    """A transaction that may write: committed at the end, rolled back by an exception.

    It is one attempt: the service uses `transaction`, which retries.

    On SQLite it takes the write lock at once: a transaction that reads first and asks for
    the lock later is refused while another one writes.
    """
    engine = db.engine
    with _turn if engine.name == "sqlite" else nullcontext(), engine.connect() as connection:
        connection.execution_options(**write_options)
        with connection.begin():
            yield connection


_turn = Turn(LOCK_SECONDS)


def connect_app(app: Flask, url: str) -> Engine:
    """Give the app its engine for that database, which is returned.

    Args:
        app: the app.
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    app.teardown_appcontext_funcs.clear()  # it ends ORM sessions, and none is ever opened
    with app.app_context():
        prepare_engine(db.engine)
        return db.engine


def engine_options(url: str) -> dict[str, Any]:
    """How SQLAlchemy connects: every wait has an end, well within ten seconds in all."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "hide_parameters": True,
            "pool_timeout": LOCK_SECONDS,
            "connect_args": {"timeout": LOCK_SECONDS},
        }
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 5,
        "max_overflow": 0,
        "pool_timeout": LOCK_SECONDS,
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "authsvc",
            # PgBouncer gives each transaction another connection: nothing may be left on one.
            "prepare_threshold": None,
            "options": (
                f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
                " -c synchronous_commit=on"
            ),
        },
    }


def prepare_engine(engine: Engine) -> None:
    """On SQLite, take transactions out of the driver's hands and make each commit durable."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().keys() >= write_options.keys():
            begin_immediate(connection, LOCK_SECONDS)
