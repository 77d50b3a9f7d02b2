"""Threads that wait for SQLite's write lock share a transaction, and lose nothing by it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, text

from authsvc.database import our_engine, schema, shared_transaction
from tests.conftest import MakeApp, MakeDatabase
from tests.support.people import Person

Share = Callable[[Callable[[Connection], Any]], Future[Any]]
SECONDS = 10
ADD = text("INSERT INTO rate_limits (key, count, expires_at) VALUES (:key, 1, '2026-12-01')")
KEYS = text("SELECT key FROM rate_limits ORDER BY key")


@pytest.fixture
def app(make_app: MakeApp, make_database: MakeDatabase) -> Iterator[Flask]:
    url = make_database()
    schema.upgrade(url)
    app = make_app(database_url=url)
    with app.app_context():
        yield app


@pytest.fixture
def share(app: Flask) -> Iterator[Share]:
    """Runs a function by `shared_transaction` in a thread of its own."""

    def run(work: Callable[[Connection], Any]) -> Any:
        with app.app_context():
            return shared_transaction.shared_transaction(work)

    with ThreadPoolExecutor(16) as threads:
        yield lambda work: threads.submit(run, work)


def adds(key: str) -> Callable[[Connection], str]:
    def add(connection: Connection) -> str:
        connection.execute(ADD, {"key": key})
        return key

    return add


def fails(connection: Connection) -> None:
    connection.execute(ADD, {"key": "undone"})
    raise LookupError


def keys() -> list[str]:
    with our_engine().connect() as connection:
        return list(connection.execute(KEYS).scalars())


@contextmanager
def another_process_writes() -> Iterator[None]:
    """Hold SQLite's write lock during the block."""
    other = sqlite3.connect(str(our_engine().url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def wait_until_waiting(app: Flask, number: int) -> None:
    """Wait until one thread leads and `number` others wait for it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        shared = app.extensions.get("authsvc.shared_transactions")
        if shared is not None and len(shared._waiting) == number:
            return
        time.sleep(0.001)
    raise AssertionError("the threads do not wait")


def commits(engine: Any) -> list[Connection]:
    """Return a list that gets an item at each commit, before it happens."""
    seen: list[Connection] = []
    event.listen(engine, "commit", seen.append)
    return seen


@pytest.mark.only("sqlite")
def test_logouts_that_wait_for_the_lock_are_one_commit_and_all_of_them_count(app: Flask) -> None:
    people = [Person(app, "alice@example.com", "a horse that is correct").register().logged_in()]
    people += [people[0].on_another_device().logged_in() for _ in range(4)]
    seen = commits(our_engine())
    with ThreadPoolExecutor(5) as threads:
        with another_process_writes():
            kept = [person.refresh_token for person in people]
            logouts = [threads.submit(person.log_out) for person in people]
            wait_until_waiting(app, 4)
        assert [logout.result(SECONDS).status_code for logout in logouts] == [204] * 5
    assert len(seen) == 1
    for person, refresh_token in zip(people, kept, strict=True):
        person.refresh_token = refresh_token
        assert person.refresh().json["code"] == "refresh_token_revoked"
    activity = people[0].logged_in().call("GET", "/api/me/activity").json["events"]
    assert [event["event"] for event in activity].count("logged_out") == 5


@pytest.mark.only("sqlite")
def test_no_thread_is_answered_before_the_commit(app: Flask, share: Share) -> None:
    committing, commit = Event(), Event()

    @event.listens_for(our_engine(), "commit")
    def wait(connection: Connection) -> None:
        committing.set()
        assert commit.wait(SECONDS)

    with another_process_writes():
        works = [share(adds(key)) for key in "abc"]
        wait_until_waiting(app, 2)
    assert committing.wait(SECONDS)
    late = share(adds("late"))
    wait_until_waiting(app, 1)
    assert (keys(), wait_for(works, timeout=0.2, return_when=FIRST_COMPLETED).done) == ([], set())
    commit.set()
    assert [work.result(SECONDS) for work in (*works, late)] == ["a", "b", "c", "late"]
    assert keys() == ["a", "b", "c", "late"]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("place", [0, 1, 3])
def test_work_that_fails_undoes_nothing_of_the_other_threads(
    app: Flask, share: Share, place: int
) -> None:
    works = [adds("a"), adds("b"), adds("c")]
    works.insert(place, fails)
    with another_process_writes():
        first = share(works[0])
        wait_until_waiting(app, 0)
        results = [first, *map(share, works[1:])]
        wait_until_waiting(app, 3)
    assert isinstance(results.pop(place).exception(SECONDS), LookupError)
    assert [result.result(SECONDS) for result in results] == ["a", "b", "c"]
    assert keys() == ["a", "b", "c"]


@pytest.mark.only("sqlite")
def test_after_a_commit_that_fails_each_thread_commits_alone(app: Flask, share: Share) -> None:
    seen = commits(our_engine())

    @event.listens_for(our_engine(), "commit", once=True)
    def fail(connection: Connection) -> None:
        raise OSError

    with another_process_writes():
        works = [share(adds(key)) for key in "abc"]
        wait_until_waiting(app, 2)
    assert [work.result(SECONDS) for work in works] == ["a", "b", "c"]
    assert (keys(), len(seen)) == (["a", "b", "c"], 4)


@pytest.mark.only("sqlite")
def test_a_thread_that_waits_too_long_goes_alone_unless_its_work_has_begun(
    app: Flask, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_transaction, "STUCK_SECONDS", 0.3)
    begun, ends = Event(), Event()

    def slow(connection: Connection) -> str:
        begun.set()
        assert ends.wait(SECONDS)
        return "slow"

    seen = commits(our_engine())
    with another_process_writes():
        first = share(adds("first"))
        wait_until_waiting(app, 0)
        begins = share(slow)
        wait_until_waiting(app, 1)
    assert begun.wait(SECONDS)
    alone = share(adds("alone"))
    wait_until_waiting(app, 1)
    wait_until_waiting(app, 0)  # it has left: nothing but its patience ends
    assert not any(work.done() for work in (first, begins, alone))
    ends.set()
    assert [work.result(SECONDS) for work in (first, begins, alone)] == ["first", "slow", "alone"]
    assert (keys(), len(seen)) == (["alone", "first"], 2)


@pytest.mark.only("postgres")
def test_on_postgres_each_thread_has_a_transaction_of_its_own(share: Share) -> None:
    both = Barrier(2)

    def meets(connection: Connection) -> int:
        both.wait(SECONDS)
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    assert len({work.result(SECONDS) for work in [share(meets), share(meets)]}) == 2
