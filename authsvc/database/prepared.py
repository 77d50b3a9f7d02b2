"""Prepared statements on Postgres, where no pooler moves them to another server process.

A pooler such as PgBouncer may run each transaction in another server process, which does not know
what was prepared. The statements of authsvc/database/compiled.py are prepared, and no others: they
find their rows by primary key, so the plan that Postgres keeps for them is right for every value.
Made when a table had a handful of rows, it reads the whole table until the next ANALYZE, which
autovacuum runs within a minute or so, or until the pool replaces the connection.
"""

from typing import Any, Literal

import psycopg
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, SerializationFailure
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from uuid_utils.compat import uuid7

Prepare = Literal["auto", "on", "off"]

ONLY_BY_REQUEST = 2**31
"""psycopg's number of executions after which it prepares a statement by itself."""


class StaleStatement(SerializationFailure):
    """A prepared statement does not work any more. The same transaction succeeds if it is retried.

    A pooler or an operator's DEALLOCATE removed it, or a migration changed what it returns.
    """


class PreparingConnection(psycopg.Connection[Any]):
    """A connection that prepares the statements of `execute_prepared`, if it may."""

    def execute_prepared(self, query: str, parameters: Any) -> psycopg.Cursor[Any]:
        """Execute a statement that is prepared the first time it is executed on this connection.

        Raises:
            StaleStatement: it must be retried, together with its transaction.
            Error: the database refused it.
        """
        try:
            return self._execute(query, parameters)
        except StaleStatement:
            if self.info.transaction_status != TransactionStatus.IDLE:
                raise
            return self._execute(query, parameters)

    def _execute(self, query: str, parameters: Any) -> psycopg.Cursor[Any]:
        try:
            return self.execute(query, parameters, prepare=True)
        except (InvalidSqlStatementName, FeatureNotSupported) as error:
            if self.prepare_threshold is None:
                raise
            self.prepare_threshold = None  # until the pool replaces the connection
            raise StaleStatement(str(error)) from error


def prepare_statements(engine: Engine, prepare: Prepare) -> None:
    """Let the engine's connections prepare statements.

    Args:
        engine: its new connections are `PreparingConnection`s in autocommit mode.
        prepare: ``auto`` checks each new connection for a pooler, by one statement.
    """
    if prepare == "off":
        return

    @event.listens_for(engine, "connect")
    def connected(connection: PreparingConnection, record: Any) -> None:
        if prepare == "on" or _is_direct(connection):
            connection.prepare_threshold = ONLY_BY_REQUEST
            # A name that no other client of the same server process has, should there be a pooler
            # after all: it must never execute the other's statement.
            connection._prepared._prepared_idx = uuid7().int


def _is_direct(connection: PreparingConnection) -> bool:
    """Return whether the server process that answers is the one that greeted the connection.

    Poolers greet a client before they choose a server process, with an id of their own.
    """
    [pid] = connection.execute("SELECT pg_backend_pid()").fetchone() or [None]
    return bool(pid == connection.info.backend_pid)
