"""Sessions over an upgrade from the version before second factors, and back."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Row

from authsvc.database import schema
from tests.conftest import MakeApp, MakeDatabase
from tests.support.people import Person
from tests.support.reauthentication import by_password
from tests.support.responses import assert_problem, claims
from tests.support.second_factors import give_totp

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
BEFORE = "0005"
OLD_COLUMNS = (
    "id, user_id, token_hash, issued_at, expires_at, last_used_at, user_agent, ip_address, "
    "key_thumbprint"
)


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A migrated database."""
    url = make_database()
    schema.upgrade(url)
    return url


@pytest.fixture
def alice(url: str, make_app: MakeApp) -> Person:
    """Alice, who logged in before the upgrade."""
    app = make_app(database_url=url)
    alice = Person(app, "alice@example.com", "a horse that is correct")
    with time_machine.travel(NOON, tick=False):
        alice.register().logged_in()
    return alice


def execute(url: str, statement: str) -> list[Row]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return list(result) if result.returns_rows else []
    finally:
        engine.dispose()


def test_the_upgrade_logs_no_user_out_and_its_sessions_are_of_a_password(
    url: str, alice: Person
) -> None:
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    assert execute(url, "SELECT amr, authenticated_at FROM refresh_tokens") == [("pwd", None)]
    with time_machine.travel(NOON, tick=False) as clock:
        clock.shift(3600)
        assert alice.refresh().status_code == 200
        token = claims(alice.access_token)
        assert (token["amr"], token["acr"]) == (["pwd"], "aal1")
        assert token["auth_time"] == int(NOON.timestamp())
        answer = alice.call("POST", "/api/me/totp", json={})
        assert_problem(answer, 401, "reauthentication_required")
        assert by_password(alice).status_code == 200
        assert alice.call("POST", "/api/me/totp", json={}).status_code == 200


def test_an_access_token_from_before_the_upgrade_is_good_until_it_expires(
    url: str, alice: Person
) -> None:
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    with time_machine.travel(NOON, tick=False):
        assert alice.call("GET", "/api/me").status_code == 200
        assert alice.call("GET", "/api/me/factors").json["totp"] == {
            "enabled": False,
            "since": None,
        }


def test_a_session_that_an_older_version_opens_meanwhile_is_one_of_a_password(
    url: str, alice: Person
) -> None:
    """Until the last instance of the older version stops, it inserts rows without the columns."""
    execute(url, f"CREATE TABLE older AS SELECT {OLD_COLUMNS} FROM refresh_tokens")
    execute(url, "DELETE FROM refresh_tokens")
    execute(url, f"INSERT INTO refresh_tokens ({OLD_COLUMNS}) SELECT {OLD_COLUMNS} FROM older")
    with time_machine.travel(NOON, tick=False) as clock:
        clock.shift(60)
        assert alice.refresh().status_code == 200
        token = claims(alice.access_token)
    assert (token["amr"], token["acr"]) == (["pwd"], "aal1")
    assert token["auth_time"] == int(NOON.timestamp())


def test_the_downgrade_keeps_accounts_and_sessions_and_loses_the_factors(
    url: str, alice: Person
) -> None:
    give_totp(alice)
    rows = execute(url, f"SELECT {OLD_COLUMNS} FROM refresh_tokens")
    schema.downgrade(url, BEFORE)
    assert execute(url, f"SELECT {OLD_COLUMNS} FROM refresh_tokens") == rows
    assert len(execute(url, "SELECT id FROM users")) == 1
    schema.upgrade(url)
    assert alice.on_another_device().log_in().status_code == 200
