"""How SQLAlchemy connects to the database, so that every wait ends and every commit is durable."""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url

from authsvc.database.sqlite_lock import begin_immediate

CONNECT_SECONDS = 3
LOCK_SECONDS = 4
STATEMENT_SECONDS = 5

write_options = {"authsvc_writes": True}
"""Execution options of a connection whose transactions write."""


def engine_options(url: str) -> dict[str, Any]:
    """Return the arguments of SQLAlchemy's `create_engine` for that database."""
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
            # PgBouncer may run each transaction on another connection: prepare no statements.
            "prepare_threshold": None,
            "options": (
                f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
                " -c synchronous_commit=on"
            ),
        },
    }


def prepare_engine(engine: Engine) -> None:
    """On SQLite, let SQLAlchemy instead of the driver begin transactions; commit durably."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must begin no transactions
        connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().keys() >= write_options.keys():
            begin_immediate(connection, LOCK_SECONDS)
