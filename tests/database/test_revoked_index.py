"""The index of revoked sessions: over an upgrade from the version before, and in a query's plan."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, create_engine, inspect

from authsvc.database import schema
from authsvc.sessions import recently_revoked
from tests.conftest import MakeApp, MakeDatabase
from tests.support.people import Person
from tests.support.responses import assert_problem

BEFORE = "0007"
OF_BEFORE, OF_NOW = "ix_refresh_tokens_revoked_at", "ix_refresh_tokens_revoked"


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A migrated database."""
    url = make_database()
    schema.upgrade(url)
    return url


def plan(url: str) -> str:
    """Return how the database would search for the sessions that were revoked lately."""
    engine = create_engine(url, poolclass=NullPool)
    query = recently_revoked._REVOKED_SINCE.compile(dialect=engine.dialect)
    since = datetime(2026, 11, 24, tzinfo=UTC)
    with engine.connect() as connection:
        if engine.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (str(since),))
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # there are few rows
            rows = connection.exec_driver_sql(f"EXPLAIN {query}", {"since": since})
        return "\n".join(str(row) for row in rows)


def partial_indexes(url: str) -> dict[str | None, bool]:
    """Return the indexes of `revoked_at`, and whether they leave rows out."""
    engine = create_engine(url, poolclass=NullPool)
    return {
        index["name"]: f"{engine.name}_where" in index["dialect_options"]
        for index in inspect(engine).get_indexes("refresh_tokens")
        if index["column_names"] == ["revoked_at"]
    }


def test_an_upgrade_leaves_live_sessions_out_of_the_index_and_a_downgrade_adds_them(
    url: str,
) -> None:
    assert partial_indexes(url) == {OF_NOW: True}
    schema.downgrade(url, BEFORE)
    assert partial_indexes(url) == {OF_BEFORE: False}
    schema.upgrade(url)
    assert partial_indexes(url) == {OF_NOW: True}


def test_recent_revocations_are_searched_by_the_index_of_either_version(url: str) -> None:
    assert f"{OF_NOW} " in plan(url)
    schema.downgrade(url, BEFORE)
    assert f"{OF_BEFORE} " in plan(url)


def test_what_was_revoked_before_the_upgrade_stays_revoked_and_the_rest_can_log_out(
    url: str, make_app: MakeApp
) -> None:
    app = make_app(database_url=url)
    schema.downgrade(url, BEFORE)
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    tablet, stays = alice.on_another_device().logged_in(), alice.on_another_device().logged_in()
    assert alice.log_out().status_code == 204
    schema.upgrade(url)
    assert tablet.log_out().status_code == 204
    for person in (alice, tablet, stays):
        person.app = make_app(database_url=url)  # another worker, which must read both
    for person in (alice, tablet):
        assert_problem(person.call("GET", "/api/me"), 401, "access_token_revoked")
    assert stays.call("GET", "/api/me").status_code == 200
    assert stays.refresh().status_code == 200
