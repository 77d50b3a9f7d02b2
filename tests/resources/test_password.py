"""PUT /api/me/password."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.database import writing
from authsvc.problems import WrongPassword
from authsvc.users.stored_password import lock_confirmed, replace_password
from tests.support.direct_login import verify_password
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    live_sessions,
    pointers,
    sessions,
    users,
)

NEW = "a lamp that is not lit"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def change(person: Person, current: object, new: object = NEW):
    body = {"current_password": current, "new_password": new}
    return person.call("PUT", "/api/me/password", json=body)


def test_after_a_change_only_the_new_password_is_accepted(alice: Person) -> None:
    assert change(alice.logged_in(), alice.password).status_code == 200
    other = alice.on_another_device()
    assert_problem(other.log_in(), 401, "invalid_credentials")
    other.password = NEW
    assert other.log_in().status_code == 200


def test_the_response_of_a_change_is_that_of_a_login(alice: Person) -> None:
    """S5; issue 14, 25."""
    alice.logged_in()
    old = claims(alice.access_token)["sid"]
    answer = change(alice, alice.password)
    token = answer.json["access_token"]
    assert answer.json == {"access_token": token, "token_type": "Bearer", "expires_in": 600}
    assert answer.headers.getlist("Set-Cookie") == [
        f"__Host-refresh_token={alice.refresh_token}; Path=/; Secure; HttpOnly; "
        "SameSite=Strict; Max-Age=604800"
    ]
    assert claims(token)["sid"] == claims(alice.refresh_token)["sid"] != old
    assert alice.refresh().status_code == alice.call("GET", "/api/me").status_code == 200


def test_a_change_revokes_every_session_and_a_stolen_cookie_of_this_one_too(
    alice: Person, bob: Person, connection: Connection
) -> None:
    """S5; issue 14, 25."""
    bob.logged_in()
    devices = [alice.on_another_device().logged_in() for _ in range(2)]
    thief = alice.logged_in().on_same_device()
    change(alice, alice.password)
    assert live_sessions(connection) == 2
    for device in (*devices, thief):
        assert_problem(device.refresh(), 401, "refresh_token_revoked")
    assert alice.refresh().status_code == bob.refresh().status_code == 200


def test_a_stolen_access_token_is_refused_within_a_second_of_a_change(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        thief = alice.logged_in().on_same_device()
        assert thief.call("GET", "/api/me").status_code == 200
        change(alice, alice.password)
        clock.shift(timedelta(seconds=1))
        assert_problem(thief.call("GET", "/api/me"), 401, "access_token_revoked")
        assert alice.call("GET", "/api/me").status_code == 200


def test_the_auth_time_of_the_new_session_is_the_time_of_the_change(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(timedelta(hours=1))
        alice.refresh()
        change(alice, alice.password)
    later = int((NOON + timedelta(hours=1)).timestamp())
    token = claims(alice.access_token)
    assert (token["auth_time"], token["iat"], token["exp"]) == (later, later, later + 600)
    assert sessions(connection)[-1].expires_at == NOON + timedelta(days=7, hours=1)


def test_a_change_revokes_the_session_of_another_account_whose_cookie_it_overwrites(
    alice: Person, bob: Person
) -> None:
    bob.logged_in()
    alice.logged_in()
    alice.refresh_token = bob.refresh_token
    assert change(alice, alice.password).status_code == 200
    assert_problem(bob.refresh(), 401, "refresh_token_revoked")


def test_a_change_that_cannot_be_stored_changes_nothing(
    alice: Person, connection: Connection
) -> None:
    """The password, the revocations and the new session are one transaction."""
    phone = alice.on_another_device().logged_in()
    alice.logged_in()
    before, kept = users(connection), alice.refresh_token
    connection.execute(text("ALTER TABLE security_events RENAME TO hidden"))
    try:
        answer = change(alice, alice.password)
    finally:
        connection.execute(text("ALTER TABLE hidden RENAME TO security_events"))
    assert answer.status_code >= 500
    assert "Set-Cookie" not in answer.headers
    assert (users(connection), alice.refresh_token) == (before, kept)
    assert alice.refresh().status_code == phone.refresh().status_code == 200


def test_a_wrong_current_password_changes_nothing(alice: Person, connection: Connection) -> None:
    phone = alice.on_another_device().logged_in()
    before = users(connection)
    answer = change(alice.logged_in(), "not the password of Alice")
    assert_problem(answer, 403, "wrong_password")
    assert users(connection) == before
    assert phone.refresh().status_code == 200


@pytest.mark.parametrize("new", ["too few", "x" * 257, "passwordpassword", "alice@example.com"])
def test_a_weak_new_password_is_refused(alice: Person, new: str) -> None:
    answer = change(alice.logged_in(), alice.password, new)
    assert pointers(answer) == ["/new_password"]
    assert new not in answer.text


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/current_password", "/new_password"]),
        ({"new_password": NEW}, ["/current_password"]),
        ({"current_password": ["a"], "new_password": 1}, ["/current_password", "/new_password"]),
    ],
)
def test_each_wrong_member_has_a_pointer(
    alice: Person, body: dict[str, object], wrong: list[str]
) -> None:
    assert pointers(alice.logged_in().call("PUT", "/api/me/password", json=body)) == wrong


def test_of_two_concurrent_changes_the_later_one_is_refused(alice: Person, app: Flask) -> None:
    alice.logged_in()
    with app.app_context():
        user = verify_password(alice.email, alice.password)
        assert change(alice, alice.password).status_code == 200
        with pytest.raises(WrongPassword), writing() as connection:
            replace_password(connection, user.id, user.password_hash, "another hash")
        with pytest.raises(WrongPassword), writing() as connection:
            lock_confirmed(connection, user.id, user.password_hash)


def test_an_unverified_address_gets_five_notices_an_hour_at_most(
    mail_app: Flask, mailbox: Mailbox
) -> None:
    """A stranger, who may have registered it, cannot fill its mailbox."""
    victim = Person(mail_app, "victim@example.com", "a horse that is correct").register()
    mailbox.deliver()
    with time_machine.travel(NOON, tick=False) as clock:
        victim.logged_in()
        passwords = [victim.password, NEW] * 4
        answers = [change(victim, *passwords[number : number + 2]) for number in range(6)]
        assert [answer.status_code for answer in answers[:5]] == [200] * 5
        assert_problem(answers[5], 429, "rate_limited")
        assert len(mailbox.deliver()) == 5
        clock.shift(timedelta(hours=1))
        victim.password = NEW
        assert change(victim.logged_in(), *passwords[5:7]).status_code == 200
