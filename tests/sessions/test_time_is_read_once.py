"""Each operation reads the clock once, after it has waited for its lock (C1; issue 14, 20).

The clock advances by a second with each SQL statement, so a second reading would differ.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, event

from authsvc.database import our_engine
from tests.support.authenticator_app import set_up
from tests.support.factor_rows import totp_rows
from tests.support.people import Person
from tests.support.responses import claims, events, sessions
from tests.support.second_factors import give_totp

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LOCK_WAIT = timedelta(minutes=1)
NEW = "a lamp that is not lit"


@pytest.fixture
def clock(app: Flask, alice: Person) -> Iterator[time_machine.Traveller]:
    with app.app_context():
        engine = our_engine()
    with time_machine.travel(NOON, tick=False) as traveller:

        def advance(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            locks_account = "users" in statement and "password_hash =" in statement
            traveller.shift(LOCK_WAIT if locks_account else SECOND)

        event.listen(engine, "before_cursor_execute", advance)
        try:
            yield traveller
        finally:
            event.remove(engine, "before_cursor_execute", advance)


def since_epoch(instant: datetime) -> int:
    return int(instant.timestamp())


def test_a_login_that_waits_for_a_lock_issues_tokens_of_full_life(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    answer = alice.log_in()
    (row,) = sessions(connection)
    access, refresh = claims(alice.access_token), claims(alice.refresh_token)
    at = since_epoch(row.issued_at)
    assert access["iat"] == access["auth_time"] == refresh["iat"] == refresh["auth_time"] == at
    assert access["exp"] - at == answer.json["expires_in"] == 600
    assert since_epoch(row.expires_at) - at == refresh["exp"] - at == 604800
    assert "Max-Age=604800" in answer.headers["Set-Cookie"]
    assert row.last_used_at == events(connection)[-1].at == row.issued_at
    assert row.issued_at >= NOON + LOCK_WAIT


def test_a_login_revokes_the_old_session_at_the_time_of_the_new_one(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    alice.logged_in().logged_in()
    old, new = sessions(connection)
    revoked, logged_in = events(connection)[-2:]
    assert old.revoked_at == new.issued_at == revoked.at == logged_in.at


def test_a_password_change_has_one_time(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    alice.logged_in()
    body = {"current_password": alice.password, "new_password": NEW}
    assert alice.call("PUT", "/api/me/password", json=body).status_code == 200
    old, new = sessions(connection)
    assert {old.revoked_at, *(row.at for row in events(connection)[-3:])} == {new.issued_at}
    access = claims(alice.access_token)
    assert access["iat"] == access["auth_time"] == since_epoch(new.issued_at)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/logout"),
        ("DELETE", "/api/me/sessions"),
        ("DELETE", "/api/me/sessions/{sid}"),
    ],
)
def test_a_revocation_has_the_time_of_its_event(
    alice: Person, connection: Connection, clock: time_machine.Traveller, method: str, path: str
) -> None:
    sid = claims(alice.logged_in().access_token)["sid"]
    assert alice.call(method, path.format(sid=sid)).status_code == 204
    (row,) = sessions(connection)
    assert row.revoked_at == events(connection)[-1].at


def test_the_deletion_of_an_account_has_one_time(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    alice.logged_in()
    alice.call("DELETE", "/api/me", json={"password": alice.password})
    (row,) = sessions(connection)
    assert row.revoked_at == events(connection)[-1].at


def test_a_change_of_factors_has_one_time(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    set_up(alice.logged_in())
    (row,) = totp_rows(connection)
    assert row.confirmed_at == events(connection)[-1].at


def test_a_refresh_has_one_time(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    alice.logged_in()
    clock.shift(timedelta(hours=2))
    alice.refresh()
    (row,) = sessions(connection)
    access = claims(alice.access_token)
    assert access["iat"] == access["exp"] - 600 == since_epoch(row.last_used_at)


@pytest.mark.parametrize("by", ["password", "code"])
def test_a_reauthentication_has_one_time(
    alice: Person, connection: Connection, clock: time_machine.Traveller, by: str
) -> None:
    alice.logged_in()
    clock.move_to(NOON + timedelta(hours=2))
    given = alice.password if by == "password" else give_totp(alice).now()
    answer = alice.call("POST", "/auth/reauthenticate", json={by: given})
    assert answer.status_code == 200
    (row,) = sessions(connection)
    access = claims(alice.access_token)
    at = since_epoch(row.authenticated_at)
    assert access["iat"] == access["auth_time"] == access["exp"] - 600 == at
    assert events(connection)[-1].at == row.authenticated_at
    assert row.last_used_at == row.issued_at


def test_a_refused_refresh_is_recorded_at_the_time_of_its_decision(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    kept = alice.logged_in().on_same_device()
    alice.log_out()
    clock.move_to(NOON + timedelta(hours=1))
    assert kept.refresh().status_code == 401
    assert events(connection)[-1].at == NOON + timedelta(hours=1)
