"""SQLite has one writer at a time: how those wait for it who want to write."""

import sqlite3
from threading import Lock
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError

ASK_AGAIN_SECONDS = 0.0001
BEGIN = "BEGIN IMMEDIATE"


class Turn:
    """One thread of this process at a time, so that no more than one asks SQLite again and again.

    Args:
        seconds: how long one may wait for it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()

    def __enter__(self) -> None:
        """
        Raises:
            TimeoutError: it took too long.
        """
        if not self._lock.acquire(timeout=self._seconds):
            raise TimeoutError("other threads write to the database without an end")

    def __exit__(self, *raised: object) -> None:
        self._lock.release()


def begin_immediate(connection: Connection, seconds: float) -> None:
    """Begin a transaction that has the write lock, which another process may have.

    SQLite itself would ask for it less and less often, ten times a second in the end, and those
    who came later would take it each time.

    Args:
        connection: which has no transaction.
        seconds: how long to ask, and how long its other statements wait.

    Raises:
        OperationalError: another process had it all the time, or something else is in the way.
    """
    driver: Any = connection.connection.driver_connection
    until = monotonic() + seconds
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute(BEGIN)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                    break
            sleep(ASK_AGAIN_SECONDS)
        connection.exec_driver_sql(BEGIN)  # so that SQLAlchemy tells what is in the way
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
