"""What is recorded of an event: the account, the actor and the client."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.audit.record import REFUSALS_EVERY
from tests.attacks.tokens import Good
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, users

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
NEW = "a lamp that is not lit"
WRONG = "not the password of Alice"


def session_of(person: Person) -> str:
    """Return the name of a session in the audit trail and in the log."""
    sid = UUID(str(claims(person.refresh_token)["sid"]))
    return hashlib.sha256(sid.bytes).hexdigest()[:16]


def recorded(connection: Connection) -> list[tuple[str, str | None, str | None]]:
    return [(row.event, row.session, row.detail) for row in events(connection)]


@time_machine.travel(NOON, tick=False)
def test_an_event_has_its_kind_time_actor_and_client(alice: Person, connection: Connection) -> None:
    alice.log_in(**{"User-Agent": "a browser " + "x" * 300})
    (user,) = users(connection)
    (row,) = [row for row in events(connection) if row.event == "logged_in"]
    assert (row.at, row.user_id, row.actor, row.detail) == (NOON, user.id, "user", None)
    assert (row.ip_address, row.user_agent) == ("127.0.0.1", ("a browser " + "x" * 300)[:255])
    assert row.session == session_of(alice)
    assert row.id.version == 7
    assert row.id.int >> 80 == int(NOON.timestamp() * 1000)


def test_logins_logouts_and_revoked_sessions_are_recorded(
    alice: Person, connection: Connection
) -> None:
    phone, tablet, pc = (alice.on_another_device().logged_in() for _ in range(3))
    alice.logged_in()
    first = session_of(alice)
    alice.logged_in()  # with the cookie of the session before
    second = session_of(alice)
    alice.call("DELETE", f"/api/me/sessions/{claims(phone.access_token)['sid']}")
    alice.log_out()
    its = {session_of(tablet), session_of(pc)}
    tablet.call("DELETE", "/api/me/sessions")
    *opened, replaced, again, ended, out, one, other = recorded(connection)
    assert [event for event, *_ in opened] == ["registered", *["logged_in"] * 4]
    assert (replaced, again) == (
        ("session_revoked", first, "replaced"),
        ("logged_in", second, None),
    )
    assert ended == ("session_revoked", session_of(phone), None)
    assert out == ("logged_out", second, None)
    assert {one, other} == {("session_revoked", sid, None) for sid in its}
    assert {row.user_id for row in events(connection)} == {users(connection)[0].id}


def test_a_password_change_is_recorded_with_the_sessions_that_it_revokes(
    alice: Person, connection: Connection
) -> None:
    phone = alice.on_another_device().logged_in()
    body = {"current_password": alice.password, "new_password": NEW}
    old = session_of(alice.logged_in())
    assert alice.call("PUT", "/api/me/password", json=body).status_code == 200
    changed, *revoked, logged_in = recorded(connection)[-4:]
    assert changed == ("password_changed", old, None)
    assert set(revoked) == {
        ("session_revoked", session_of(phone), None),
        ("session_revoked", old, None),
    }
    assert logged_in == ("logged_in", session_of(alice), None)


def test_a_logout_that_revokes_nothing_is_not_recorded(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in()
        clock.shift(timedelta(days=8))  # that session has run out by itself
        again = alice.logged_in().on_same_device()
        assert alice.log_out().status_code == again.log_out().status_code == 204
        clock.shift(timedelta(seconds=1))
        alice.logged_in()
        clock.shift(timedelta(seconds=1))
        alice.call("DELETE", "/api/me/sessions")
    kinds = [event for event, *_ in recorded(connection)]
    assert kinds.count("logged_out") == 1
    assert kinds.count("session_revoked") == 1


def test_an_ordinary_refresh_is_not_recorded(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    before = recorded(connection)
    for _ in range(3):
        assert alice.refresh().status_code == 200
    assert recorded(connection) == before


def test_what_an_operator_does_is_recorded_as_the_operators(
    alice: Person, operator: Operator, connection: Connection
) -> None:
    alice.logged_in()
    first = session_of(alice)
    operator.run("users", "grant", alice.email, "admin", "editor")
    operator.run("users", "grant", alice.email, "admin")  # has it already
    operator.run("users", "revoke", alice.email, "admin", "other")
    operator.run("users", "disable", alice.email)
    operator.run("users", "enable", alice.email)
    alice.on_another_device().logged_in()
    operator.run("users", "set-password", alice.email, typed=f"{NEW}\n")
    operator.run("users", "create", "carol@example.com", typed=f"{NEW}\n")
    alice.password = NEW
    last = session_of(alice.on_another_device().logged_in())
    operator.run("sessions", "revoke", alice.email)
    rows = [row for row in events(connection) if row.actor == "operator"]
    assert [(row.event, row.detail) for row in rows] == [
        ("roles_changed", "+admin +editor"),
        ("roles_changed", "-admin"),
        ("account_disabled", None),
        ("session_revoked", None),
        ("account_enabled", None),
        ("password_changed", None),
        ("session_revoked", None),
        ("registered", None),
        ("session_revoked", None),
    ]
    assert (rows[3].session, rows[-1].session) == (first, last)
    assert {(row.ip_address, row.user_agent) for row in rows} == {(None, None)}
    hers, carols = users(connection)
    assert {row.user_id for row in rows} == {hers.id, carols.id}


def test_14_22_14_29_unlock_email_export_and_delete_are_recorded(
    alice: Person, operator: Operator, connection: Connection
) -> None:
    operator.run("users", "unlock", alice.email)
    operator.run("users", "email", alice.email, "carol@example.com")
    operator.run("users", "export", "carol@example.com")
    kinds = ["account_unlocked", "email_changed", "account_exported"]
    rows = events(connection)[1:]
    assert [(row.event, row.actor, row.detail) for row in rows] == [
        (kind, "operator", None) for kind in kinds
    ]
    assert {row.user_id for row in rows} == {users(connection)[0].id}
    operator.run("users", "delete", "carol@example.com", "--yes")
    (row,) = events(connection)
    assert (row.event, row.actor, row.user_id) == ("account_deleted", "operator", None)
    assert row.operator


def test_revoking_the_sessions_of_all_users_is_recorded_for_each(
    alice: Person, bob: Person, operator: Operator, connection: Connection
) -> None:
    expected = {session_of(person.logged_in()) for person in (alice, bob)}
    operator.run("sessions", "revoke", "--all")
    rows = [row for row in events(connection) if row.event == "session_revoked"]
    assert {row.session for row in rows} == expected
    assert {row.user_id for row in rows} == {user.id for user in users(connection)}


def test_the_events_of_a_deleted_account_are_removed(
    alice: Person, bob: Person, connection: Connection
) -> None:
    alice.logged_in()
    before = [row for row in events(connection) if row.event == "registered"]
    alice.call("DELETE", "/api/me", json={"password": alice.password})
    rows = events(connection)
    assert len(before) == 2
    assert [row.event for row in rows] == ["registered", "account_deleted"]
    (his,) = users(connection)
    assert rows[0].user_id == his.id
    empty = ("user_id", "session", "ip_address", "user_agent", "detail")
    assert [getattr(rows[1], name) for name in empty] == [None] * 5
    assert rows[1].actor == "user"


def test_refused_logins_are_recorded(
    alice: Person, bob: Person, app: Flask, connection: Connection
) -> None:
    connection.execute(
        text("UPDATE users SET disabled_at = created_at WHERE email_key = 'bob@example.com'")
    )
    alice.password = WRONG
    stranger = Person(app, "canary@example.com", WRONG)
    for person in (alice, bob, stranger):
        assert_problem(person.log_in(**{"User-Agent": "x"}), 401, "invalid_credentials")
    rows = events(connection)[2:]
    hers, his = users(connection)
    assert [(row.event, row.user_id, row.detail) for row in rows] == [
        ("login_refused", hers.id, "wrong_password"),
        ("login_refused", his.id, "account_disabled"),
        ("login_refused", None, None),
    ]
    assert {(row.actor, row.ip_address, row.user_agent) for row in rows} == {
        ("user", "127.0.0.1", "x")
    }
    everything = connection.execute(text("SELECT * FROM security_events")).all()
    assert "canary" not in str(everything)


def test_throttled_attempts_are_not_recorded(alice: Person, connection: Connection) -> None:
    alice.password = WRONG
    statuses = [alice.log_in().status_code for _ in range(13)]
    assert statuses == [401] * 10 + [429] * 3
    assert [event for event, *_ in recorded(connection)].count("login_refused") == 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE refresh_tokens SET revoked_at = issued_at", "refresh_token_revoked"),
        ("UPDATE refresh_tokens SET expires_at = issued_at", "refresh_token_expired"),
        ("UPDATE users SET disabled_at = created_at", "refresh_token_revoked"),
    ],
)
def test_a_refused_refresh_of_a_known_session_is_recorded(
    alice: Person, connection: Connection, change: str, code: str
) -> None:
    alice.logged_in()
    sid = session_of(alice)
    connection.execute(text(change))
    assert_problem(alice.refresh(**{"User-Agent": "x"}), 401, code)
    row = events(connection)[-1]
    (user,) = users(connection)
    assert (row.event, row.session, row.detail) == ("refresh_refused", sid, code)
    assert (row.user_id, row.actor, row.ip_address) == (user.id, "user", "127.0.0.1")
    assert row.user_agent == "x"


def test_a_refresh_of_an_idle_session_is_recorded(alice: Person, connection: Connection) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(timedelta(days=3))
        assert_problem(alice.refresh(), 401, "refresh_token_expired")
    assert recorded(connection)[-1][0] == "refresh_refused"


def test_a_signed_token_that_is_not_the_sessions_own_is_recorded(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    sid = session_of(alice)
    good = Good("refresh", alice.refresh_token, alice.access_token)
    alice.refresh_token = good.with_claims(jti="3f0c1d4e-8c2b-4d53-9c1a-5b6f7a8e9d01")
    assert_problem(alice.refresh(), 401, "refresh_token_invalid")
    assert recorded(connection)[-1] == ("refresh_refused", sid, "refresh_token_invalid")


def test_garbage_is_never_recorded(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    good = Good("refresh", alice.refresh_token, alice.access_token)
    before = recorded(connection)
    for token in ("garbage", good.text[:-4] + "AAAA", good.signed(key=b"x" * 64), good.other, ""):
        cookie = {"Cookie": f"{alice.cookie_name}={token}"}
        assert alice.call("POST", "/auth/refresh", headers=cookie).status_code == 401
    assert recorded(connection) == before


def test_a_refresh_after_the_deletion_of_the_account_is_not_recorded(
    alice: Person, connection: Connection
) -> None:
    kept = alice.logged_in().on_same_device()
    alice.call("DELETE", "/api/me", json={"password": alice.password})
    before = recorded(connection)
    assert_problem(kept.refresh(), 401, "refresh_token_revoked")
    assert recorded(connection) == before


def test_the_same_refusal_of_a_session_is_recorded_once_an_hour(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        cookies = [alice.on_another_device().logged_in() for _ in range(2)]
        connection.execute(text("UPDATE refresh_tokens SET revoked_at = issued_at"))
        for _ in range(3):
            for device in cookies:
                assert device.on_same_device().refresh().status_code == 401
        assert len(recorded(connection)) == 3 + 2
        clock.shift(REFUSALS_EVERY)
        assert cookies[0].on_same_device().refresh().status_code == 401
        assert len(recorded(connection)) == 3 + 2
        clock.shift(timedelta(milliseconds=1))
        assert cookies[0].on_same_device().refresh().status_code == 401
        assert len(recorded(connection)) == 3 + 3
