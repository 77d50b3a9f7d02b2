"""PUT /api/me/password."""

import pytest
from flask import Flask
from sqlalchemy import Connection

from authsvc.database import writing
from authsvc.problems import WrongPassword
from authsvc.users.stored_password import lock_confirmed, replace_password
from tests.support.direct_login import verify_password
from tests.support.people import Person
from tests.support.responses import assert_problem, live_sessions, pointers, users

NEW = "a lamp that is not lit"


def change(person: Person, current: object, new: object = NEW):
    body = {"current_password": current, "new_password": new}
    return person.call("PUT", "/api/me/password", json=body)


def test_after_a_change_only_the_new_password_is_accepted(alice: Person) -> None:
    answer = change(alice.logged_in(), alice.password)
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    other = alice.on_another_device()
    assert_problem(other.log_in(), 401, "invalid_credentials")
    other.password = NEW
    assert other.log_in().status_code == 200


def test_every_other_session_of_the_account_ends(
    alice: Person, bob: Person, connection: Connection
) -> None:
    devices = [alice.on_another_device().logged_in() for _ in range(2)]
    bob.logged_in()
    change(alice.logged_in(), alice.password)
    assert live_sessions(connection) == 2
    for device in devices:
        assert_problem(device.refresh(), 401, "refresh_token_revoked")
    assert alice.refresh().status_code == bob.refresh().status_code == 200
    assert alice.call("GET", "/api/me").status_code == 200


def test_a_wrong_current_password_changes_nothing(alice: Person, connection: Connection) -> None:
    phone = alice.on_another_device().logged_in()
    before = users(connection)
    answer = change(alice.logged_in(), "not the password of Alice")
    assert_problem(answer, 403, "wrong_password")
    assert users(connection) == before
    assert phone.refresh().status_code == 200


@pytest.mark.parametrize("new", ["short", "x" * 257, "passwordpassword", "alice@example.com"])
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
        assert change(alice, alice.password).status_code == 204
        with pytest.raises(WrongPassword), writing() as connection:
            replace_password(connection, user.id, user.password_hash, "another hash")
        with pytest.raises(WrongPassword), writing() as connection:
            lock_confirmed(connection, user.id, user.password_hash)
