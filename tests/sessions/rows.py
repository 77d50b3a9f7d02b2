"""Insert rows of sessions without logging in."""

from datetime import timedelta

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.sessions.model import RefreshToken


def add_sessions(connection: Connection, number: int, expired_for: timedelta) -> None:
    """Insert sessions that expired that long ago, in the reverse order of their ids."""
    ended = clock.now() - expired_for
    row = {"token_hash": b"", "issued_at": ended, "expires_at": ended, "last_used_at": ended}
    rows = [{"id": uuid7(), **row} for _ in range(number)]
    with connection.engine.begin() as together:
        together.execute(insert(RefreshToken), rows[::-1])
