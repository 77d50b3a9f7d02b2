"""Deadlines of our own for each wait for Postgres, whatever the kernel and the server do.

The server's statement_timeout does not help when the server, or a proxy before it, falls silent.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, _WaitTimeout
from sqlalchemy import Engine, event

from authsvc.database.pool import BoundedPool, Silence

T = TypeVar("T")

CHECK_SECONDS = 2.0
"""For the ping of a pooled connection, and for what else happens outside of a transaction."""
ANSWER_SECONDS = 6.0
"""For a statement and for the commit: longer than the server's own statement_timeout."""


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection on which every wait for the server has a deadline. Past it, it is closed."""

    silence: Silence
    deadline = CHECK_SECONDS

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Run psycopg's generator of one exchange with the server.

        Raises:
            OperationalError: the server did not answer in time.
        """
        try:
            result: T = super().wait(gen, *args, **{"timeout": self.deadline, **kwargs})
        except _WaitTimeout:
            self.pgconn.finish()
            if self.deadline == ANSWER_SECONDS:  # a connection that fails its ping is replaced
                self.silence.begin()
            raise psycopg.OperationalError(
                f"Postgres did not answer within {self.deadline:.0f} seconds."
            ) from None
        self.silence.end()
        return result


def set_deadlines(engine: Engine) -> None:
    """Give all connections of the engine deadlines. Its pool must be a `BoundedPool`."""
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
        silence.end()
        return connection

    @event.listens_for(engine, "checkout")
    def checked_out(connection: DeadlineConnection, record: Any, proxy: Any) -> None:
        connection.deadline = ANSWER_SECONDS

    @event.listens_for(engine, "checkin")
    def returned(connection: DeadlineConnection | None, record: Any) -> None:
        if connection is not None:
            connection.deadline = CHECK_SECONDS
