"""A transaction that conflicts with another is retried, a bounded number of times."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from authsvc import database
from authsvc.database import db, transaction

pytestmark = pytest.mark.only("postgres")

SERIALIZABLE = text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
READ = text("SELECT count FROM conflicts WHERE id = 1")
ADD = text("UPDATE conflicts SET count = count + 1 WHERE id = :id")


@pytest.fixture
def counts(app: Flask) -> Iterator[Flask]:
    """The app, with a table of two counts."""
    with app.app_context(), db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("CREATE TABLE conflicts (id integer PRIMARY KEY, count integer)"))
        connection.execute(text("INSERT INTO conflicts VALUES (1, 0), (2, 0)"))
        yield app
        connection.execute(text("DROP TABLE conflicts"))


def add_elsewhere(app: Flask) -> None:
    """Commit an update of the row from another connection."""
    with app.app_context(), db.engine.begin() as other:
        other.execute(ADD, {"id": 1})


def test_a_serialization_failure_is_retried_and_the_result_is_of_the_last_run(
    counts: Flask,
) -> None:
    runs = 0

    def work(connection: Connection) -> int:
        nonlocal runs
        runs += 1
        connection.execute(SERIALIZABLE)
        before = connection.execute(READ).scalar_one()
        if runs < 3:
            add_elsewhere(counts)
        connection.execute(ADD, {"id": 1})
        return int(before)

    assert transaction(work) == 2
    assert (runs, transaction(lambda connection: connection.execute(READ).scalar_one())) == (3, 3)


def test_a_transaction_that_always_conflicts_is_given_up_and_leaves_nothing(
    counts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RETRIES", 2)
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(SERIALIZABLE)
        connection.execute(READ)
        add_elsewhere(counts)
        connection.execute(ADD, {"id": 1})

    with pytest.raises(OperationalError, match="could not serialize"):
        transaction(work)
    assert runs == 3
    assert transaction(lambda connection: connection.execute(READ).scalar_one()) == 3


def test_retries_end_after_three_seconds(counts: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.0)
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))

    with pytest.raises(OperationalError):
        transaction(work)
    assert runs == 1


def test_both_transactions_of_a_deadlock_succeed(counts: Flask) -> None:
    both_locked_one = threading.Barrier(2)
    runs: list[int] = []

    def work(connection: Connection, first: int) -> None:
        runs.append(first)
        connection.execute(ADD, {"id": first})
        if runs.count(first) == 1:
            both_locked_one.wait(timeout=5)
        connection.execute(ADD, {"id": 3 - first})

    def add_both(first: int) -> None:
        with counts.app_context():
            transaction(lambda connection: work(connection, first))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(add_both, [1, 2]))
    assert len(runs) > 2
    assert transaction(lambda connection: connection.execute(READ).scalar_one()) == 2


def test_another_error_is_not_retried(counts: Flask) -> None:
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(Exception, match="division by zero"):
        transaction(work)
    assert runs == 1
