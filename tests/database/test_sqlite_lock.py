"""How writers wait for SQLite's one write lock."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError, TimeoutError

from authsvc.database.sqlite_lock import Turn, begin_immediate

LONG = 30


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "database"


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection, as far as SQLite can tell."""
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


def test_a_writer_does_not_wait_for_ever(connection: Connection, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        begin_immediate(connection, 0.05)
    (waits,) = connection.connection.driver_connection.execute("PRAGMA busy_timeout").fetchone()
    assert waits == 50


def test_what_no_waiting_helps_is_told_at_once(connection: Connection) -> None:
    begin_immediate(connection, LONG)
    with pytest.raises(OperationalError, match="within a transaction"):
        begin_immediate(connection, LONG)


def test_threads_take_turns_and_do_not_wait_for_ever() -> None:
    turn, order = Turn(LONG), []

    def write() -> None:
        with turn:
            order.append("other")

    with turn:
        other = Thread(target=write)
        other.start()
        with pytest.raises(TimeoutError), short(turn):
            order.append("never")
        order.append("first")
    other.join()
    assert order == ["first", "other"]


def short(turn: Turn) -> Turn:
    """The same turn, for somebody with less patience."""
    hasty = Turn(0.05)
    hasty._lock = turn._lock
    return hasty
