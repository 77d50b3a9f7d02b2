"""A database that falls silent is a 503 in time, and holds up no route that needs no database."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, TimeoutError

from authsvc.database import connect_app, db, pool, postgres, reading, transaction
from tests.faults.test_database_away import assert_unavailable, credentials_of
from tests.faults.visitor import Answer, Visitor
from tests.support.database_proxy import Proxy, proxy_before, wait_until
from tests.support.postgres_cluster import Cluster
from tests.support.running_service import serving

pytestmark = pytest.mark.only("postgres")

BACK_WITHIN = 10
UNAFFECTED = 2.5
"""Seconds. Alone on a machine these routes answer in milliseconds."""
DATABASE_ROUTES = [
    ("POST", "/auth/login"),
    ("POST", "/auth/register"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("GET", "/api/me"),
    ("GET", "/api/me/sessions"),
    ("GET", "/api/me/activity"),
    ("GET", "/readyz"),
]


@pytest.fixture
def proxy(own_cluster: Cluster) -> Iterator[Proxy]:
    with proxy_before(own_cluster.address) as proxy:
        yield proxy


def test_a_database_that_falls_silent_affects_no_route_that_needs_none(
    url: str, proxy: Proxy, wsgi_server: str, tmp_path: Path
) -> None:
    database, output = proxy.url(make_url(url).database or ""), tmp_path / "output"
    probe = {"server": wsgi_server, "app": "tests.faults.probe:app", "rate_limit_factor": "1000"}
    with (
        serving(database, output, **probe) as it,
        ThreadPoolExecutor(40) as threads,
    ):
        alice = Visitor(it.port, "alice@example.com").registered().logged_in()
        assert alice.probe_each_worker(2) == {"ok"}
        over = Event()
        with proxy.silent():
            storm = [threads.submit(ask, alice, *route, over) for route in DATABASE_ROUTES * 3]
            others = [threads.submit(ask_others, alice, over) for _ in range(2)]
            time.sleep(8)
            over.set()
            for answer in [answer for asked in storm for answer in asked.result()]:
                assert_unavailable(answer)
            answers = [answer for asked in others for answer in asked.result()]
        assert {answer.status for answer in answers} <= {200, 204}
        assert max(answer.seconds for answer in answers) < UNAFFECTED
        wait_until(lambda: alice.refresh().status == 200, BACK_WITHIN)
        wait_until(lambda: alice.log_out().status == 204, BACK_WITHIN)  # of the other worker


def ask(visitor: Visitor, method: str, path: str, over: Event) -> list[Answer]:
    """Call the route again and again."""
    body = credentials_of(visitor) if path in ("/auth/login", "/auth/register") else None
    if path == "/auth/register":
        body = {"email": "bob@example.com", "password": "a staple for a battery"}
    answers = []
    while not over.is_set():
        answers.append(visitor.call(method, path, body))
        time.sleep(0.2)
    return answers


def ask_others(visitor: Visitor, over: Event) -> list[Answer]:
    """Call routes that need no database, the guard's included, again and again."""
    answers = []
    while not over.is_set():
        answers += [replace(visitor, access_token="").call("GET", "/healthz"), visitor.probe()]
        time.sleep(0.1)
    return answers


def test_a_database_that_never_answered_is_a_503_until_it_answers(
    url: str, proxy: Proxy, wsgi_server: str, tmp_path: Path
) -> None:
    database = proxy.url(make_url(url).database or "")
    with ExitStack() as silence, ThreadPoolExecutor(8) as threads:
        silence.enter_context(proxy.silent())  # the kernel accepts connections for it
        with serving(database, tmp_path / "output", server=wsgi_server) as service:
            alice = Visitor(service.port, "alice@example.com")
            body = credentials_of(alice)
            logins = [threads.submit(alice.call, "POST", "/auth/login", body) for _ in range(8)]
            time.sleep(0.5)
            assert alice.call("GET", "/healthz").seconds < UNAFFECTED
            for login in logins:
                assert_unavailable(login.result())
            silence.close()
            wait_until(lambda: alice.call("GET", "/readyz").status == 200, BACK_WITHIN)
            register = ("POST", "/auth/register", body)
            wait_until(lambda: alice.call(*register).status in (201, 409), BACK_WITHIN)
            wait_until(lambda: alice.log_in().status == 200, BACK_WITHIN)


@pytest.fixture
def silenced(url: str, proxy: Proxy) -> Iterator[Flask]:
    """An app that reaches the database by the proxy."""
    app = Flask("test", static_folder=None)
    connect_app(app, proxy.url(make_url(url).database or ""))
    with app.app_context():
        yield app
        db.engine.dispose()


def one() -> int:
    with reading() as connection:
        return int(connection.execute(select(1)).scalar_one())


def test_a_transaction_on_a_database_that_falls_silent_ends_and_the_next_fails_at_once(
    silenced: Flask, proxy: Proxy
) -> None:
    with ExitStack() as silence:

        def fall_silent(connection: Connection) -> None:
            silence.enter_context(proxy.silent())
            connection.execute(select(2))

        with at_most(8), pytest.raises(OperationalError, match="not answer within 6 seconds"):
            transaction(fall_silent)
        with at_most(1), pytest.raises(TimeoutError, match="did not answer a moment ago"):
            one()
    wait_until(answers_again, BACK_WITHIN)


def test_a_pooled_connection_that_fell_silent_is_replaced(
    silenced: Flask, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 1.0)  # the test above waits for the whole
    monkeypatch.setattr(pool, "PROBE_SECONDS", 0.5)
    assert one() == 1
    # The ping may have been answered before the silence; then the statement has the deadline.
    expected = "timeout expired|not answer within 1 seconds"
    with proxy.silent(), at_most(8), pytest.raises(OperationalError, match=expected):
        one()
    wait_until(answers_again, BACK_WITHIN)


def test_while_all_connections_are_stuck_another_is_refused_at_once(silenced: Flask) -> None:
    with reading() as one_connection, reading(), reading():
        one_connection.execute(select(func.pg_sleep(1.1)))
        with at_most(0.5), pytest.raises(TimeoutError, match="are stuck"):
            one()
    assert one() == 1


def answers_again() -> bool:
    try:
        return one() == 1
    except TimeoutError:
        return False


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds
