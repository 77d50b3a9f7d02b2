"""Sessions and transactions of an operator's own tables, as Flask-SQLAlchemy documents them.

They use an engine of their own (`db.engine`), with a pool of its own: a slow view of an operator
does not keep a login waiting, and a view that holds a connection does not wait for one of ours.
"""

import re
from typing import Any

import flask_sqlalchemy.session
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.sql.selectable import SelectBase

from authsvc.database.sqlite_lock import BEGIN, begin_immediate

CLOSES = "authsvc.closes_sessions"
READS = re.compile(r"\s*(SELECT|VALUES|EXPLAIN|PRAGMA)\b", re.IGNORECASE)


class ContextSession(flask_sqlalchemy.session.Session):
    """A session that is closed when its app context ends.

    Flask-SQLAlchemy closes sessions by a function that Flask calls after every request. The first
    session of an app adds that function, so that a service without own tables does not pay for it.
    """

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:
        super().__init__(db, **options)
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        if CLOSES not in app.extensions:
            app.extensions[CLOSES] = True

            def close(error: BaseException | None) -> None:
                db.session.remove()

            # First in the list is called last: an operator's own functions may use the session.
            app.teardown_appcontext_funcs = [close, *app.teardown_appcontext_funcs]


def begin_at_first_write(engine: Engine, lock_seconds: float) -> None:
    """Let SQLite transactions begin as those of Postgres behave at READ COMMITTED.

    A SELECT sees what is committed, and locks nothing. The first statement that may write, or a
    SELECT ... FOR UPDATE, begins the transaction and takes the write lock at once. SQLite would
    refuse the lock to a transaction that has read before another one wrote.

    Args:
        engine: the engine of an SQLite database.
        lock_seconds: how long a transaction waits for the lock.
    """

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # for what the driver executes by itself

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Connection, cursor: Any, statement: str, *more: Any) -> None:
        _, context, _ = more
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction or statement == BEGIN or _only_reads(statement, context):
            return
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            begin_immediate(connection, lock_seconds)


def _only_reads(statement: str, context: Any) -> bool:
    compiled = getattr(context, "compiled", None)
    if compiled is not None and isinstance(compiled.statement, SelectBase):
        return getattr(compiled.statement, "_for_update_arg", None) is None
    return READS.match(statement) is not None
