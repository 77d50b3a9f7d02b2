"""How SQLAlchemy connects to the database, so that every wait ends and every commit is durable."""

from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.engine import make_url

from authsvc.database.pool import CONNECTIONS, STUCK_SECONDS, BoundedPool
from authsvc.database.postgres_options import server_options
from authsvc.database.sqlite_lock import begin_immediate

CONNECT_SECONDS = 3
CONNECT_SECONDS_PER_HOST = 2
"""Where the URL names several hosts, which are tried one after the other."""
LOCK_SECONDS = 4
STATEMENT_SECONDS = 5

write_options = {"authsvc_writes": True}
"""Execution options of a connection whose transactions write."""


def engine_options(
    url: str, connections: int = CONNECTIONS, stuck_seconds: float = STUCK_SECONDS
) -> dict[str, Any]:
    """Return the arguments of SQLAlchemy's `create_engine` for that database.

    Args:
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
        connections: how many the pool has.
        stuck_seconds: after which time without a connection that is returned it counts as stuck.
    """
    pool = {
        "hide_parameters": True,
        "poolclass": BoundedPool,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": stuck_seconds,
    }
    if make_url(url).get_backend_name() == "sqlite":
        return {**pool, "connect_args": {"timeout": LOCK_SECONDS}}
    arguments = _postgres_arguments(url)
    # The last used is taken first: it has prepared its statements, and needs no ping.
    return {**pool, "pool_use_lifo": True, "pool_recycle": 1800, "connect_args": arguments}


def _postgres_arguments(url: str) -> dict[str, Any]:
    several_hosts = isinstance(make_url(url).query.get("host"), tuple)
    return {
        "connect_timeout": CONNECT_SECONDS_PER_HOST if several_hosts else CONNECT_SECONDS,
        # The kernel's own deadlines, for connections without the ones in postgres.py.
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,  # milliseconds
        "application_name": "authsvc",
        "prepare_threshold": None,  # except as authsvc/database/prepared.py has it
        "options": server_options(
            url,
            f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
            " -c synchronous_commit=on",
        ),
    }


LOST = frozenset({"25006", "57P01", "57P02", "57P03"})
"""SQLSTATEs of Postgres after which a connection is of no use: read_only_sql_transaction (the
server became a standby), admin_shutdown, crash_shutdown and cannot_connect_now. So is each of
class 08, connection exceptions."""


def is_lost(error: BaseException | None) -> bool:
    """Return whether the driver's error means that its connection must be replaced."""
    state = getattr(error, "sqlstate", None) or ""
    return state in LOST or state.startswith("08")


def discard_lost_connections(engine: Engine) -> None:
    """Replace connections after an error that `is_lost`, as SQLAlchemy does for closed ones."""

    @event.listens_for(engine, "handle_error")
    def handle(context: ExceptionContext) -> None:
        if is_lost(context.original_exception):
            context.is_disconnect = True


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
