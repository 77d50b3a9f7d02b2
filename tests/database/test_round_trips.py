"""How often a request waits for Postgres: its round trips, which a network makes slow."""

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import time_machine
from flask import Flask
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from authsvc.database import our_engine
from authsvc.database.postgres import RECENT_SECONDS
from tests.conftest import MakeApp, cluster_of
from tests.support.people import Person
from tests.support.round_trips import RoundTrips, counting_proxy

pytestmark = pytest.mark.only("postgres")

BUDGET: dict[str, tuple[Callable[[Person], TestResponse], int]] = {
    "POST /auth/refresh": (lambda alice: alice.refresh(), 1),
    "GET /api/me": (lambda alice: alice.call("GET", "/api/me"), 1),
    "POST /auth/logout": (lambda alice: alice.log_out(), 4),
    "POST /auth/login": (lambda alice: alice.on_another_device().log_in(), 17),
}


@pytest.fixture
def trips(pytestconfig: pytest.Config) -> Iterator[RoundTrips]:
    with counting_proxy(cluster_of(pytestconfig)) as trips:
        yield trips


@pytest.fixture
def app(trips: RoundTrips, database_url: str, make_app: MakeApp) -> Flask:
    return make_app(database_url=trips.url(make_url(database_url).database or ""))


@pytest.fixture
def alice(app: Flask) -> Iterator[Person]:
    """Alice, who has logged in. The clock stands still, as in tests/test_budget.py."""
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False):
        alice = Person(app, f"alice-{id(app)}@example.com", "a horse that is correct").register()
        alice.logged_in().call("GET", "/api/me")  # queries the list of revoked sessions
        alice.refresh()
        alice.on_another_device().logged_in().log_out()  # prepares, as each connection does once
        yield alice


@pytest.mark.parametrize("route", BUDGET)
def test_a_route_waits_for_postgres_as_often_as_its_budget_says(
    alice: Person, trips: RoundTrips, route: str
) -> None:
    request, budget = BUDGET[route]
    before = trips.count
    assert request(alice).status_code < 300
    assert trips.count - before == budget


def test_a_connection_that_the_server_closed_a_moment_ago_is_replaced(
    alice: Person, app: Flask, database_url: str
) -> None:
    own = "application_name = 'authsvc' AND datname = current_database()"
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as operator:
        assert alice.refresh().status_code == 200
        ended = operator.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {own}"
        ).fetchall()
    assert (True,) in ended
    assert alice.refresh().status_code == 200
    with app.app_context():
        our_engine().dispose()


def test_a_connection_that_rested_is_checked_before_it_is_used(
    alice: Person, trips: RoundTrips
) -> None:
    time.sleep(RECENT_SECONDS + 0.1)
    before = trips.count
    assert alice.refresh().status_code == 200
    assert trips.count - before == 2
