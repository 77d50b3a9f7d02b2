"""POST /auth/password/reset."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from time_machine import Traveller, travel

from authsvc import signals
from authsvc.mail.model import WaitingMail
from authsvc.tokens.keyring import encode
from authsvc.tokens.one_time import OneTimeTokens, Purpose
from authsvc.users.one_time_tokens import OneTimeToken
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.support.mailbox import Mailbox
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import NEW, forgot, link_of, mailed_token, reset, reset_tokens
from tests.support.responses import (
    assert_problem,
    events,
    live_sessions,
    pointers,
    users,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNKNOWN = "A" * 43


@pytest.fixture
def alice(mail_app: Flask) -> Person:
    return Person(mail_app, "alice@example.com", "a horse that is correct").register()


@pytest.fixture
def bob(mail_app: Flask) -> Person:
    return Person(mail_app, "bob@example.com", "a staple for a battery").register()


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with travel(NOON, tick=False) as clock:
        yield clock


def with_new_password(person: Person) -> Person:
    return Person(person.app, person.email, NEW)


def test_after_a_reset_only_the_new_password_is_accepted(alice: Person, mailbox: Mailbox) -> None:
    answer = reset(alice, mailed_token(alice, mailbox))
    assert (answer.status_code, answer.data) == (204, b"")
    assert_problem(alice.log_in(), 401, "invalid_credentials")
    assert with_new_password(alice).log_in().status_code == 200


def test_a_reset_logs_in_nobody_and_sets_no_cookie(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    answer = reset(alice.logged_in(), mailed_token(alice, mailbox))
    assert answer.status_code == 204
    assert "Set-Cookie" not in answer.headers
    assert live_sessions(connection) == 0


def test_a_reset_revokes_every_session_of_the_account_and_of_no_other(
    alice: Person, bob: Person, mailbox: Mailbox, clock: Traveller
) -> None:
    devices = [alice.on_another_device().logged_in() for _ in range(2)]
    bob.logged_in()
    assert reset(alice, mailed_token(alice, mailbox)).status_code == 204
    clock.shift(timedelta(seconds=1))
    for device in devices:
        assert_problem(device.call("GET", "/api/me"), 401, "access_token_revoked")
        assert_problem(device.refresh(), 401, "refresh_token_revoked")
    assert bob.call("GET", "/api/me").status_code == bob.refresh().status_code == 200


def test_a_reset_clears_the_failures_of_the_account(alice: Person, mailbox: Mailbox) -> None:
    alice.logged_in()
    wrong = Person(alice.app, alice.email, "this is the wrong one")
    body = {"current_password": wrong.password, "new_password": NEW}
    for _ in range(10):
        assert wrong.log_in().status_code == 401
        assert alice.call("PUT", "/api/me/password", json=body).status_code == 403
    assert wrong.log_in().status_code == 429
    assert reset(alice, mailed_token(alice, mailbox)).status_code == 204
    again = with_new_password(alice).logged_in()
    assert_problem(again.call("PUT", "/api/me/password", json=body), 403, "wrong_password")


def test_a_reset_verifies_the_address_once(
    alice: Person, mailbox: Mailbox, connection: Connection, clock: Traveller
) -> None:
    assert users(connection)[0].email_verified_at is None
    for password in (NEW, "a door that is ajar"):
        assert reset(alice, mailed_token(alice, mailbox), password).status_code == 204
        assert users(connection)[0].email_verified_at == NOON
        clock.shift(timedelta(minutes=6))


def test_a_reset_tells_the_owner_by_mail(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    assert reset(alice, mailed_token(alice, mailbox)).status_code == 204
    (user,) = users(connection)
    notice = select(WaitingMail.email, WaitingMail.user_id).where(
        WaitingMail.kind == "password_reset"
    )
    assert list(connection.execute(notice)) == [("alice@example.com", user.id)]
    (mail,) = mailbox.deliver()
    assert mail["To"] == "alice@example.com"


def test_a_reset_is_recorded_with_the_sessions_that_it_revokes(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    alice.logged_in()
    assert reset(alice, mailed_token(alice, mailbox)).status_code == 204
    done, revoked = events(connection)[-2:]
    assert (done.event, done.actor, done.ip_address) == ("password_reset", "user", "127.0.0.1")
    assert (revoked.event, revoked.detail) == ("session_revoked", None)
    assert {done.user_id, revoked.user_id} == {users(connection)[0].id}


def test_a_reset_sends_the_signals_of_a_new_password(alice: Person, mailbox: Mailbox) -> None:
    alice.logged_in()
    token = mailed_token(alice, mailbox)
    sent: list[str] = []

    def changed(app: Flask, user_id: object) -> None:
        sent.append("changed")

    def ended(app: Flask, session_id: object, user_id: object, reason: str) -> None:
        sent.append(reason)

    with (
        signals.password_changed.connected_to(changed, alice.app),
        signals.session_ended.connected_to(ended, alice.app),
    ):
        reset(alice, token)
        reset(alice, token)
    assert sent == ["changed", "password_changed"]


def test_a_link_works_once(alice: Person, mailbox: Mailbox) -> None:
    token = mailed_token(alice, mailbox)
    assert reset(alice, token).status_code == 204
    assert_problem(reset(alice, token, "a door that is ajar"), 401, "token_invalid")
    assert with_new_password(alice).log_in().status_code == 200


def test_of_several_resets_at_once_one_wins(alice: Person, mailbox: Mailbox) -> None:
    token, start = mailed_token(alice, mailbox), Barrier(3)
    passwords = [f"{word} lamp that is not lit" for word in ("one", "two", "three")]

    def at_once(password: str) -> int:
        start.wait()
        return reset(alice.on_another_device(), token, password).status_code

    with ThreadPoolExecutor(3) as threads:
        statuses = list(threads.map(at_once, passwords))
    assert sorted(statuses) == [204, 401, 401]
    winner = passwords[statuses.index(204)]
    accepted = [Person(alice.app, alice.email, one).log_in().status_code for one in passwords]
    assert accepted == [200 if one == winner else 401 for one in passwords]


@pytest.mark.parametrize(("seconds", "statuses"), [(1799, [422, 204]), (1800, [401, 401])])
def test_a_link_lives_for_thirty_minutes_after_it_is_sent(
    alice: Person, mailbox: Mailbox, clock: Traveller, seconds: int, statuses: list[int]
) -> None:
    forgot(alice)
    clock.shift(timedelta(hours=1))  # the mail server was away
    (token,) = reset_tokens(mailbox)
    clock.shift(timedelta(seconds=seconds))
    assert [reset(alice, token, one).status_code for one in ("too few", NEW)] == statuses


WEAK = ["too few", "x" * 257, "passwordpassword", "alice@example.com", "ALICE@EXAMPLE.COM", "\0"]


@pytest.mark.once
@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_password_is_refused_and_does_not_use_up_the_link(
    alice: Person, mailbox: Mailbox, weak: str
) -> None:
    token = mailed_token(alice, mailbox)
    answer = reset(alice, token, weak)
    assert pointers(answer) == ["/new_password"]
    assert weak not in answer.text
    assert reset(alice, token).status_code == 204


@pytest.mark.once
@pytest.mark.parametrize(
    "token",
    ["", UNKNOWN, "\0", "é" * 43, "x" * 10_000, "../" * 9, "'; DROP TABLE users; --", "\U0001f600"],
)
@pytest.mark.parametrize("password", [NEW, "too few"])
def test_an_unknown_token_is_refused_before_the_password_is_judged(
    alice: Person, token: str, password: str
) -> None:
    assert_problem(reset(alice, token, password), 401, "token_invalid")


@pytest.mark.once
@pytest.mark.parametrize(
    "alter",
    [
        lambda token: token + "=",
        lambda token: token[:-1],
        lambda token: f" {token}",
        lambda token: token.swapcase(),
        lambda token: token + "\0",
    ],
)
def test_an_altered_token_is_refused(
    alice: Person, mailbox: Mailbox, alter: Callable[[str], str]
) -> None:
    token = mailed_token(alice, mailbox)
    assert_problem(reset(alice, alter(token)), 401, "token_invalid")
    assert reset(alice, token).status_code == 204


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["/token", "/new_password"]),
        ({"token": 1, "new_password": NEW}, ["/token"]),
        ({"token": "\ud800", "new_password": NEW}, ["/token"]),
        ({"token": UNKNOWN, "new_password": "\ud800" * 15}, ["/new_password"]),
        ({"token": [UNKNOWN], "new_password": None}, ["/token", "/new_password"]),
    ],
)
def test_each_wrong_member_has_a_pointer(
    alice: Person, body: dict[str, object], wrong: list[str]
) -> None:
    answer = alice.call("POST", "/auth/password/reset", json=body)
    assert sorted(pointers(answer)) == sorted(wrong)


@pytest.mark.once
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_another_method_uses_up_nothing(alice: Person, mailbox: Mailbox, method: str) -> None:
    token = mailed_token(alice, mailbox)
    body = {"token": token, "new_password": NEW}
    for kind in ("json", "query_string"):
        answer = alice.call(method, "/auth/password/reset", **{kind: body})
        assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert alice.call("POST", "/auth/password/reset", query_string=body).status_code == 415
    assert reset(alice, token).status_code == 204


@pytest.mark.parametrize("purpose", ["verification", "change"])
def test_a_token_of_another_purpose_is_refused(
    alice: Person, mailbox: Mailbox, connection: Connection, purpose: Purpose
) -> None:
    token = link_of(alice, purpose)
    (row,) = connection.execute(
        select(OneTimeToken.__table__).order_by(OneTimeToken.id.desc()).limit(1)
    )
    with alice.app.app_context():
        of_reset = registry.get(OneTimeTokens).issue("reset", row.id)
    for other in (token, of_reset):
        assert_problem(reset(alice, other), 401, "token_invalid")
    assert alice.log_in().status_code == 200


def test_nothing_that_the_database_holds_resets_a_password(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    (row,) = connection.execute(
        select(OneTimeToken.__table__).where(OneTimeToken.purpose == "reset")
    )
    stored = [row.token_hash.hex(), encode(row.token_hash), str(row.id), row.id.hex]
    stored += [encode(row.id.bytes), row.email, str(row.user_id)]
    for one in stored:
        assert_problem(reset(alice, one), 401, "token_invalid")
    assert reset(alice, token).status_code == 204


def test_a_token_of_a_session_resets_no_password_and_a_link_opens_no_session(
    alice: Person, mailbox: Mailbox
) -> None:
    alice.logged_in()
    token = mailed_token(alice, mailbox)
    for other in (alice.access_token, alice.refresh_token):
        assert_problem(reset(alice, other), 401, "token_invalid")
    stranger = alice.on_another_device()
    stranger.access_token = stranger.refresh_token = token
    assert_problem(stranger.call("GET", "/api/me"), 401, "access_token_invalid")
    assert_problem(stranger.refresh(), 401, "refresh_token_invalid")
    assert reset(alice, token).status_code == 204


def disable(alice: Person, operator: Operator) -> None:
    assert operator.run("users", "disable", alice.email).exit_code == 0


def delete(alice: Person, operator: Operator) -> None:
    assert operator.run("users", "delete", alice.email, "--yes").exit_code == 0


def change_address(alice: Person, operator: Operator) -> None:
    assert operator.run("users", "email", alice.email, "carol@example.com").exit_code == 0


@pytest.mark.parametrize("deed", [disable, delete, change_address])
def test_a_link_to_an_account_that_is_not_what_it_was_is_refused(
    alice: Person,
    mailbox: Mailbox,
    operator: Operator,
    connection: Connection,
    deed: Callable[[Person, Operator], None],
) -> None:
    token = mailed_token(alice, mailbox)
    deed(alice, operator)
    before = users(connection)
    for password in (NEW, "too few"):
        assert_problem(reset(alice, token, password), 401, "token_invalid")
    assert users(connection) == before


@pytest.mark.every_case
@pytest.mark.parametrize("table", ["security_events", "refresh_tokens", "outbox", "rate_limits"])
def test_a_reset_that_cannot_be_stored_changes_nothing(
    alice: Person, mailbox: Mailbox, connection: Connection, table: str
) -> None:
    phone = alice.on_another_device().logged_in()
    token, before = mailed_token(alice, mailbox), users(connection)
    with without(connection, table):
        assert reset(alice, token).status_code >= 500
    assert users(connection) == before
    assert phone.refresh().status_code == alice.log_in().status_code == 200
    assert reset(alice, token).status_code == 204


class Meanwhile(Argon2id):
    """A hasher that is slow: something else happens while it works."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__(time_cost=1, memory_cost=8)
        self.happens = happens

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.happens()
        return super().hash(password, salt=salt)


@pytest.mark.parametrize(
    "happens",
    [
        "UPDATE users SET disabled_at = created_at",
        "UPDATE users SET email_key = 'carol@example.com'",
        "UPDATE one_time_tokens SET used_at = expires_at",
        "DELETE FROM one_time_tokens",
        "DELETE FROM users",
    ],
)
def test_a_link_that_is_voided_while_the_password_is_hashed_is_refused(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    alice: Person,
    mailbox: Mailbox,
    connection: Connection,
    happens: str,
) -> None:
    token, app = mailed_token(alice, mailbox), make_app(**mail_settings)
    slow = Meanwhile(lambda: connection.execute(text(happens)))
    registry.add(app, Passwords(15, slow))
    alice.app, hashes = app, [user.password_hash for user in users(connection)]
    assert_problem(reset(alice, token), 401, "token_invalid")
    assert [user.password_hash for user in users(connection)] in (hashes, [])
