"""AUTHSVC_DATABASE_PREPARE: statements on hot paths are prepared where that is safe."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from authsvc.database import our_engine, reading, schema
from tests.conftest import MakeApp, MakeDatabase, cluster_of
from tests.support.people import Person
from tests.support.pgbouncer_server import pgbouncer, prepares
from tests.support.postgres_cluster import Address

pytestmark = pytest.mark.only("postgres")

PREPARED = {"SELECT", "UPDATE", "INSERT"}


@pytest.fixture
def cluster(pytestconfig: pytest.Config) -> Address:
    return cluster_of(pytestconfig)


@pytest.fixture
def name(database_url: str) -> str:
    return make_url(database_url).database or ""


@pytest.fixture
def pooled(pooler: Address, name: str) -> str:
    """The database, by way of a PgBouncer in transaction mode that knows no prepared statements."""
    return pooler.url(name)


def alice_of(app: Flask) -> Person:
    email = f"alice-{id(app)}@example.com"
    return Person(app, email, "a horse that is correct").register().logged_in()


def refresh_and_log_out(alice: Person) -> None:
    """Refresh her session, and log her out on another device."""
    assert alice.refresh().status_code == 200
    assert alice.on_another_device().logged_in().log_out().status_code == 204


def end_server_processes(cluster: Address, name: str) -> None:
    """Let PgBouncer go on with other server processes; its clients do not notice."""
    with cluster.connect(name) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def prepared(app: Flask) -> set[str]:
    """Return what kinds of statements are prepared on the connection that the app uses."""
    with app.app_context(), reading() as connection:
        assert our_engine().pool.checkedout() == 1
        rows = connection.execute(text("SELECT statement FROM pg_prepared_statements"))
        return {row.statement.split()[0] for row in rows}


@pytest.mark.parametrize(("setting", "kinds"), [("auto", PREPARED), ("off", set())])
def test_without_a_pooler_statements_are_prepared_unless_it_is_off(
    make_app: MakeApp, setting: str, kinds: set[str]
) -> None:
    app = make_app(database_prepare=setting)
    refresh_and_log_out(alice_of(app))
    assert prepared(app) == kinds


def test_behind_a_pooler_none_are_prepared(make_app: MakeApp, pooled: str) -> None:
    app = make_app(database_url=pooled)
    refresh_and_log_out(alice_of(app))
    assert prepared(app) == set()


@pytest.mark.parametrize("first", [Person.refresh, Person.log_out])
def test_a_statement_that_was_deallocated_is_executed_all_the_same(
    make_app: MakeApp, first: Callable[[Person], TestResponse]
) -> None:
    app = make_app()
    alice = alice_of(app)
    refresh_and_log_out(alice)
    with app.app_context(), reading() as connection:
        connection.connection.driver_connection.pgconn.exec_(b"DEALLOCATE ALL")  # as a pooler does
    assert first(alice).status_code in (200, 204)
    refresh_and_log_out(alice.on_another_device().logged_in())
    assert prepared(app) == set()  # until the connection is replaced


def test_a_statement_whose_result_a_migration_changed_is_executed_all_the_same(
    make_app: MakeApp, make_database: MakeDatabase, cluster: Address
) -> None:
    schema.upgrade(url := make_database())
    alice = alice_of(make_app(database_url=url))
    refresh_and_log_out(alice)
    with cluster.connect(make_url(url).database or "") as newer:
        newer.execute("ALTER TABLE users ALTER roles TYPE varchar(500)")
    refresh_and_log_out(alice)


def test_behind_a_pooler_that_was_not_noticed_every_request_succeeds(
    make_app: MakeApp, pooled: str, cluster: Address, name: str
) -> None:
    """As if the check of a connection had found no pooler."""
    alices = [alice_of(make_app(database_url=pooled, database_prepare="on")) for _ in range(2)]
    for alice in alices:
        refresh_and_log_out(alice)
    end_server_processes(cluster, name)
    for alice in alices:
        refresh_and_log_out(alice)


def test_if_it_is_on_statements_stay_prepared_behind_a_pooler_that_keeps_track_of_them(
    make_app: MakeApp, cluster: Address, name: str
) -> None:
    more = {"max_prepared_statements": 100} if prepares() else {}
    with pgbouncer(cluster, **more) as address:
        app = make_app(database_url=address.url(name), database_prepare="on")
        refresh_and_log_out(alice := alice_of(app))
        assert prepared(app) == PREPARED
        end_server_processes(cluster, name)
        refresh_and_log_out(alice)
        assert prepared(app) == (PREPARED if more else set())
