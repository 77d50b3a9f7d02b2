"""An account that an operator deletes by SQL is gone for every route at once (S6; issue 14, 24).

The sqlite3 shell leaves foreign keys off, so the rows of the user's sessions stay as they were.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.database import db
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, sessions

DELETE = "DELETE FROM users WHERE email_key = 'alice@example.com'"
NEW = "a lamp that is not lit"


@pytest.fixture
def delete_alice(app: Flask, connection: Connection) -> Callable[[], None]:
    """Delete her as the database's own shell does."""

    def delete() -> None:
        with app.app_context():
            url = db.engine.url
        if url.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(str(url.database))) as shell, shell:
                shell.execute(DELETE)
        else:
            connection.execute(text(DELETE))

    return delete


def test_a_refresh_of_a_deleted_user_is_refused(
    alice: Person, bob: Person, delete_alice: Callable[[], None]
) -> None:
    bob.logged_in()
    alice.logged_in()
    delete_alice()
    assert_problem(alice.refresh(), 401, "refresh_token_revoked")
    assert bob.refresh().status_code == 200


ROUTES = {
    "GET /api/me": {},
    "DELETE /api/me": {"json": {"password": "a horse that is correct"}},
    "PUT /api/me/password": {
        "json": {"current_password": "a horse that is correct", "new_password": NEW}
    },
    "GET /api/me/activity": {},
    "GET /api/me/sessions": {},
    "DELETE /api/me/sessions": {},
    "DELETE /api/me/sessions/{sid}": {},
    "GET /api/me/factors": {},
    "POST /api/me/totp": {"json": {}},
    "PUT /api/me/totp": {"json": {"code": "123456"}},
    "DELETE /api/me/totp": {},
    "POST /api/me/recovery-codes": {"json": {}},
    "POST /api/me/passkeys/options": {"json": {}},
    "DELETE /api/me/passkeys/{sid}": {},
}


@pytest.mark.every_case
@pytest.mark.parametrize("route", ROUTES)
def test_the_access_token_of_a_deleted_user_is_refused_by_every_route_of_the_account(
    alice: Person, delete_alice: Callable[[], None], route: str
) -> None:
    sid = claims(alice.logged_in().access_token)["sid"]
    delete_alice()
    method, _, path = route.format(sid=sid).partition(" ")
    answer = alice.call(method, path, **ROUTES[route])
    assert_problem(answer, 401, "access_token_revoked")
    assert "Set-Cookie" not in answer.headers


def test_the_access_token_of_a_deleted_user_is_inactive(
    alice: Person, delete_alice: Callable[[], None]
) -> None:
    alice.logged_in()
    delete_alice()
    body = {"access_token": alice.access_token}
    assert alice.call("POST", "/auth/introspect", json=body).json == {"active": False}


def test_a_logout_of_a_deleted_user_revokes_the_row(
    alice: Person, connection: Connection, delete_alice: Callable[[], None]
) -> None:
    alice.logged_in()
    delete_alice()
    assert alice.log_out().status_code == 204
    (row,) = sessions(connection)
    assert row.revoked_at is not None
    assert events(connection)[-1].user_id is None


def test_a_login_with_the_cookie_of_a_deleted_user_succeeds(
    alice: Person, bob: Person, connection: Connection, delete_alice: Callable[[], None]
) -> None:
    bob.refresh_token = alice.logged_in().refresh_token
    delete_alice()
    assert bob.log_in().status_code == 200
    hers, his = sessions(connection)
    assert (hers.revoked_at is None, his.revoked_at is None) == (False, True)


def test_the_sessions_of_all_users_can_be_revoked_with_those_of_a_deleted_user(
    alice: Person, bob: Person, operator: Operator, delete_alice: Callable[[], None]
) -> None:
    bob.logged_in()
    alice.logged_in()
    delete_alice()
    assert "2 sessions are revoked" in operator.run("sessions", "revoke", "--all").output
    assert_problem(bob.refresh(), 401, "refresh_token_revoked")


def test_the_sessions_of_a_user_disabled_by_sql_are_not_live(
    alice: Person, connection: Connection, operator: Operator
) -> None:
    alice.logged_in()
    assert "opened" in operator.run("sessions", "list", alice.email).output
    connection.execute(text("UPDATE users SET disabled_at = '2026-01-01 00:00:00.000000'"))
    assert operator.run("sessions", "list", alice.email).output == ""
    sid = claims(alice.access_token)["sid"]
    assert_problem(alice.call("DELETE", f"/api/me/sessions/{sid}"), 404, "not_found")
