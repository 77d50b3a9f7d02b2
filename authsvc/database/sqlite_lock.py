"""How writers wait for SQLite's one write lock."""

import sqlite3
from threading import Lock
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError

RETRY_SECONDS = 0.0001
BEGIN = "BEGIN IMMEDIATE"


class WriterLock:
    """A lock among the threads of this process, so that only one at a time polls SQLite's lock.

    Args:
        seconds: how long a thread may wait for it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()

    def __enter__(self) -> None:
        """Acquire the lock.

        Raises:
            TimeoutError: other threads held it for too long.
        """
        if not self._lock.acquire(timeout=self._seconds):
            raise TimeoutError("Other threads of this process held the write lock for too long.")

    def __exit__(self, *raised: object) -> None:
        self._lock.release()


def begin_immediate(connection: Connection, seconds: float) -> None:
    """Begin a transaction that holds the write lock, which another process may hold until then.

    SQLite's own busy handler polls the lock at growing intervals, in the end ten times a second,
    so a waiting process would lose the lock to later ones again and again.

    Args:
        connection: has no transaction.
        seconds: how long to wait for the lock, and SQLite's `busy_timeout` from then on.

    Raises:
        OperationalError: another process held the lock all the time, or BEGIN failed otherwise.
    """
    driver: Any = connection.connection.driver_connection
    deadline = monotonic() + seconds
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute(BEGIN)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    break
            sleep(RETRY_SECONDS)
        connection.exec_driver_sql(BEGIN)  # SQLAlchemy raises its own exception for the failure
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
