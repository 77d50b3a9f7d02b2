"""Deadlines of our own for each wait for Postgres, whatever the kernel and the server do.

The server's statement_timeout does not help when the server, or a proxy before it, falls silent.
"""

from select import POLLIN, poll
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, _WaitTimeout
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from authsvc.database.engine import write_options
from authsvc.database.pool import BoundedPool, Silence
from authsvc.database.prepared import PreparingConnection

T = TypeVar("T")

CHECK_SECONDS = 2.0
"""For the ping of a pooled connection, and for what else happens outside of a transaction."""
ANSWER_SECONDS = 6.0
"""For a statement and for the commit: longer than the server's own statement_timeout."""
RECENT_SECONDS = 1.0
"""For how long after an answer a connection needs no ping."""


class DeadlineConnection(PreparingConnection):
    """A connection on which every wait for the server has a deadline. Past it, it is closed."""

    silence: Silence
    deadline = CHECK_SECONDS
    was_pooled = False
    """It is checked before it leaves the pool, and replaced if it fails: no sign of silence."""
    answered_at = 0.0

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Run psycopg's generator of one exchange with the server.

        Raises:
            OperationalError: the server did not answer in time.
        """
        try:
            result: T = super().wait(gen, *args, **{"timeout": self.deadline, **kwargs})
        except _WaitTimeout:
            self.pgconn.finish()
            if not self.was_pooled:
                self.silence.begin()
            raise psycopg.OperationalError(
                f"Postgres did not answer within {self.deadline:.0f} seconds."
            ) from None
        self.answered_at = monotonic()
        self.silence.end()
        return result

    def answered_lately(self) -> bool:
        """Return whether the server answered a moment ago, and has not closed the connection since.

        A server that closes a connection says why, so that there is something to read.
        """
        if self.closed or monotonic() - self.answered_at > RECENT_SECONDS:
            return False
        socket = poll()
        socket.register(self.fileno(), POLLIN)
        return not socket.poll(0)


def set_deadlines(engine: Engine) -> None:
    """Give all connections of the engine deadlines. Its pool must be a `BoundedPool`.

    A connection that leaves the pool is known to work: by a ping, or by an answer a moment ago.
    """
    pool = engine.pool
    assert isinstance(pool, BoundedPool)  # noqa: S101
    silence = pool.silence

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, args: Any, options: Any) -> DeadlineConnection:
        try:
            connection = DeadlineConnection.connect(*args, **options)
        except ConnectionTimeout:
            silence.begin()
            raise
        connection.silence = silence
        connection.answered_at = monotonic()
        silence.end()
        return connection

    @event.listens_for(engine, "checkout")
    def checked_out(connection: DeadlineConnection, record: Any, proxy: Any) -> None:
        if not connection.answered_lately():
            _ping(engine, connection)
        connection.was_pooled = False
        connection.deadline = ANSWER_SECONDS

    @event.listens_for(engine, "checkin")
    def returned(connection: DeadlineConnection | None, record: Any) -> None:
        if connection is not None:
            connection.was_pooled = True
            connection.deadline = CHECK_SECONDS


def _ping(engine: Engine, connection: Any) -> None:
    try:
        engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def read_without_transactions(engine: Engine) -> None:
    """Begin a transaction only for what writes: a SELECT by itself then costs one round trip.

    With a transaction it costs three. Connections prepare nothing for good either: psycopg
    deallocates what it prepared when it rolls back.
    """

    @event.listens_for(engine, "connect")
    @event.listens_for(engine, "checkin")
    def read(connection: DeadlineConnection | None, record: Any) -> None:
        if connection is not None and not connection.closed and not connection.autocommit:
            connection.autocommit = True

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().keys() >= write_options.keys():
            driver: Any = connection.connection.driver_connection
            driver.autocommit = False
