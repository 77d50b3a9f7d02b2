"""How writers wait for SQLite's one write lock."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError, TimeoutError

from authsvc.database.sqlite_lock import WriterLock, begin_immediate

LONG = 30


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "database"


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that SQLite treats as another process's."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE rows (id INTEGER)")
    yield connection
    connection.close()


@pytest.fixture
def connection(file: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        connection.connection.driver_connection.isolation_level = None
        yield connection
    engine.dispose()


def test_a_writer_waits_for_another_process(
    connection: Connection, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    Timer(0.2, other.rollback).start()
    begin_immediate(connection, LONG)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(connection.engine.url.database, timeout=0).execute("BEGIN IMMEDIATE")


def test_a_writer_gives_up_after_its_seconds(
    connection: Connection, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        begin_immediate(connection, 0.05)
    (waits,) = connection.connection.driver_connection.execute("PRAGMA busy_timeout").fetchone()
    assert waits == 50


def test_an_error_that_waiting_cannot_cure_is_raised_at_once(connection: Connection) -> None:
    begin_immediate(connection, LONG)
    with pytest.raises(OperationalError, match="within a transaction"):
        begin_immediate(connection, LONG)


def test_one_thread_at_a_time_holds_the_writer_lock_and_others_give_up_after_their_seconds() -> (
    None
):
    lock, order = WriterLock(LONG), []

    def write() -> None:
        with lock:
            order.append("other")

    with lock:
        other = Thread(target=write)
        other.start()
        with pytest.raises(TimeoutError), short(lock):
            order.append("never")
        order.append("first")
    other.join()
    assert order == ["first", "other"]


def short(lock: WriterLock) -> WriterLock:
    """The same lock, with a short time-out."""
    impatient = WriterLock(0.05)
    impatient._lock = lock._lock
    return impatient
