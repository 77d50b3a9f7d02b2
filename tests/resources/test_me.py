"""GET and DELETE /api/me."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection

from tests.support.mail_routes import VERIFY, verify
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.responses import COOKIE_CLEARED, assert_problem, pointers, sessions, users

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def delete(person: Person, password: object):
    return person.call("DELETE", "/api/me", json={"password": password})


def test_me_shows_the_account_of_the_access_token(alice: Person, connection: Connection) -> None:
    answer = alice.logged_in().call("GET", "/api/me")
    (user,) = users(connection)
    assert answer.status_code == 200
    assert list(answer.json) == ["id", "email", "created_at", "roles", "email_verified"]
    assert answer.json["email"] == "alice@example.com"
    assert answer.json["roles"] == []
    assert answer.json["created_at"] == user.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_each_user_sees_their_own_account(alice: Person, bob: Person) -> None:
    shown = [person.logged_in().call("GET", "/api/me").json for person in (alice, bob)]
    assert [account["email"] for account in shown] == ["alice@example.com", "bob@example.com"]
    assert shown[0]["id"] != shown[1]["id"]


def test_a_deletion_needs_the_password(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    answer = delete(alice, "not the password of Alice")
    assert_problem(answer, 403, "wrong_password")
    assert "Set-Cookie" not in answer.headers
    assert alice.refresh().status_code == 200
    assert alice.call("GET", "/api/me").status_code == 200


@pytest.mark.parametrize(
    ("body", "wrong"), [({}, ["/password"]), ({"password": ["a"]}, ["/password"])]
)
def test_a_body_without_a_password_deletes_nothing(
    alice: Person, body: dict[str, object], wrong: list[str]
) -> None:
    assert pointers(alice.logged_in().call("DELETE", "/api/me", json=body)) == wrong
    assert alice.call("GET", "/api/me").status_code == 200


def test_without_a_body_nothing_is_deleted(alice: Person) -> None:
    answer = alice.logged_in().call("DELETE", "/api/me")
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_deletion_removes_the_account_and_clears_the_cookie(
    alice: Person, bob: Person, connection: Connection
) -> None:
    answer = delete(alice.logged_in(), alice.password)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers.getlist("Set-Cookie") == [COOKIE_CLEARED]
    assert [user.email for user in users(connection)] == ["bob@example.com"]
    assert_problem(alice.log_in(), 401, "invalid_credentials")


def test_the_sessions_of_a_deleted_account_are_revoked_and_anonymous(
    alice: Person, bob: Person, connection: Connection
) -> None:
    bob.logged_in()
    phone = alice.on_another_device().logged_in()
    delete(alice.logged_in(), alice.password)
    his, *hers = sessions(connection)
    assert his.revoked_at is None
    assert his.user_id is not None
    assert len(hers) == 2
    for row in hers:
        assert row.revoked_at is not None
        assert (row.user_id, row.user_agent, row.ip_address) == (None, None, None)
    assert_problem(phone.refresh(), 401, "refresh_token_revoked")


def test_a_deletion_leaves_sessions_revoked_before_unchanged(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in().log_out()
        clock.shift(60)
        delete(alice.logged_in(), alice.password)
    later = NOON + timedelta(seconds=60)
    assert [row.revoked_at for row in sessions(connection)] == [NOON, later]


@time_machine.travel(NOON, tick=False)
def test_the_access_token_of_a_deleted_account_is_refused(alice: Person) -> None:
    tab = alice.logged_in().on_same_device()
    assert alice.call("GET", "/api/me").status_code == 200
    delete(alice, alice.password)
    assert_problem(tab.call("GET", "/api/me"), 401, "access_token_revoked")
    new = {"current_password": "x", "new_password": "a lamp that is not lit"}
    answer = tab.call("PUT", "/api/me/password", json=new)
    assert_problem(answer, 401, "access_token_revoked")


def test_the_address_of_a_deleted_account_can_be_registered_again(alice: Person) -> None:
    delete(alice.logged_in(), alice.password)
    assert alice.on_another_device().register().logged_in().access_token


def test_me_shows_whether_the_address_is_verified(mail_app: Flask, mailbox: Mailbox) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register().logged_in()
    assert alice.call("GET", "/api/me").json["email_verified"] is False
    assert verify(alice, mailbox.token(VERIFY)).status_code == 204
    assert alice.call("GET", "/api/me").json["email_verified"] is True
