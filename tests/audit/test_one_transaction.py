"""An action and its event are committed together or not at all, except for refusals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.database import writing
from authsvc.users.authentication import recheck_and_lock
from authsvc.users.stored_password import lock_confirmed
from tests.support.direct_login import verify_password
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, sessions, users

NEW = "a lamp that is not lit"


@contextmanager
def without(connection: Connection, table: str) -> Iterator[None]:
    """Rename the table during the block, so that writes to it fail."""
    connection.execute(text(f"ALTER TABLE {table} RENAME TO hidden"))
    try:
        yield
    finally:
        connection.execute(text(f"ALTER TABLE hidden RENAME TO {table}"))


def call(method: str, path: str, **body: str) -> Callable[[Person], int]:
    return lambda alice: alice.call(method, path, json=body).status_code


DEEDS: dict[str, Callable[[Person], int]] = {
    "register": call("POST", "/auth/register", email="carol@example.com", password=NEW),
    "log in": lambda alice: alice.on_another_device().log_in().status_code,
    "log in again": lambda alice: alice.log_in().status_code,
    "log out": lambda alice: alice.on_same_device().log_out().status_code,
    "end one session": lambda alice: call(
        "DELETE", f"/api/me/sessions/{claims(alice.access_token)['sid']}"
    )(alice),
    "end all sessions": call("DELETE", "/api/me/sessions"),
    "change the password": lambda alice: call(
        "PUT", "/api/me/password", current_password=alice.password, new_password=NEW
    )(alice),
    "delete the account": lambda alice: call("DELETE", "/api/me", password=alice.password)(alice),
}
COMMANDS = {
    "grant": ("users", "grant", "alice@example.com", "admin"),
    "revoke": ("users", "revoke", "alice@example.com", "editor"),
    "disable": ("users", "disable", "alice@example.com"),
    "enable": ("users", "enable", "alice@example.com"),
    "set a password": ("users", "set-password", "alice@example.com"),
    "create": ("users", "create", "carol@example.com"),
    "end sessions": ("sessions", "revoke", "alice@example.com"),
    "end all users'": ("sessions", "revoke", "--all"),
}


def state(connection: Connection) -> object:
    return users(connection), sessions(connection)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_request_whose_event_cannot_be_recorded_changes_nothing(
    alice: Person, connection: Connection, deed: str
) -> None:
    alice.logged_in()
    cookie, before = alice.refresh_token, state(connection)
    with without(connection, "security_events"):
        assert DEEDS[deed](alice) in (500, 503)
    assert state(connection) == before
    assert alice.refresh_token == cookie
    assert DEEDS[deed](alice) in (200, 201, 204)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_whose_event_cannot_be_recorded_changes_nothing(
    alice: Person, operator: Operator, connection: Connection, command: str
) -> None:
    alice.logged_in()
    connection.execute(text("UPDATE users SET roles = 'editor'"))
    if command == "enable":
        connection.execute(text("UPDATE users SET disabled_at = created_at"))
    before = state(connection)
    with without(connection, "security_events"):
        done = operator.run(*COMMANDS[command], typed=f"{NEW}\n")
    assert done.exit_code == 1
    assert state(connection) == before
    assert operator.run(*COMMANDS[command], typed=f"{NEW}\n").exit_code == 0
    assert state(connection) != before


@pytest.mark.parametrize("deed", ["log in", "log out", "end all sessions", "change the password"])
def test_a_failed_action_is_not_recorded(alice: Person, connection: Connection, deed: str) -> None:
    alice.logged_in()
    before = events(connection)
    with without(connection, "refresh_tokens"):
        assert DEEDS[deed](alice) in (500, 503)
    assert events(connection) == before


@pytest.mark.only("postgres")
def test_a_logout_does_not_wait_for_a_login_or_deletion_in_progress(
    alice: Person, app: Flask
) -> None:
    """Both lock the row of the account; a logout that waited for it could deadlock."""
    first, second = alice.on_another_device().logged_in(), alice.logged_in()
    with app.app_context():
        user = verify_password(alice.email, alice.password)
        with writing() as login:
            recheck_and_lock(login, user)
            assert first.log_out().status_code == 204
        with writing() as deletion:
            lock_confirmed(deletion, user.id, user.password_hash)
            assert second.log_out().status_code == 204


def test_a_refusal_is_answered_if_it_cannot_be_recorded(
    alice: Person, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    ended = alice.logged_in().on_same_device()
    alice.log_out()
    alice.password = "not the password of Alice"
    with without(connection, "security_events"):
        assert_problem(alice.log_in(), 401, "invalid_credentials")
        assert_problem(ended.refresh(), 401, "refresh_token_revoked")
    said = [record.getMessage() for record in caplog.records if record.name.endswith(".record")]
    assert [line.partition(":")[0] for line in said] == [
        "login_refused was not recorded",
        "refresh_refused was not recorded",
    ]
