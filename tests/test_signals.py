"""Signals: each is sent once, after the commit, and no receiver can harm the request."""

import functools
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from blinker import NamedSignal
from flask import Flask, g, request
from sqlalchemy import Connection, select, text

from authsvc import signals
from authsvc.database import db
from authsvc.signals import (
    logged_in,
    password_changed,
    session_ended,
    user_deleted,
    user_registered,
)
from authsvc.users.model import User
from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import claims, live_sessions, sessions, users

NEW = "a lamp that is not lit"
ALL = [getattr(signals, name) for name in signals.__all__]


class Sent(list[tuple[Any, ...]]):
    """The signals that were sent: name, user, and for sessions the id and the reason."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.senders: set[Flask] = set()

    def receive(self, signal: NamedSignal, sender: Flask, **facts: Any) -> None:
        assert all(isinstance(facts[key], UUID) for key in facts if key.endswith("_id"))
        self.senders.add(sender)
        self.append((signal.name, *facts.values()))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [sent[1:] for sent in self if sent[0] == name]


@pytest.fixture
def sent(app: Flask, alice: Person, bob: Person, connection: Connection) -> Iterator[Sent]:
    """The signals that are sent after Alice and Bob have registered."""
    sent = Sent(connection)
    receivers = [(signal, functools.partial(sent.receive, signal)) for signal in ALL]
    for signal, receiver in receivers:
        signal.connect(receiver)
    yield sent
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def id_of(person: Person, connection: Connection) -> UUID:
    return next(user.id for user in users(connection) if user.email == person.email)


def sid(person: Person) -> UUID:
    return UUID(str(claims(person.access_token)["sid"]))


def change_password(person: Person) -> int:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body).status_code


def delete_account(person: Person) -> int:
    return person.call("DELETE", "/api/me", json={"password": person.password}).status_code


def test_a_registration_sends_the_id_of_the_account(app: Flask, sent: Sent) -> None:
    carol = Person(app, "carol@example.com", NEW).register()
    assert sent == [("user_registered", id_of(carol, sent.connection))]
    assert sent.senders == {app}


def test_a_login_sends_the_account_and_the_session(alice: Person, sent: Sent) -> None:
    alice.logged_in()
    assert sent == [("logged_in", id_of(alice, sent.connection), sid(alice))]


def test_a_login_also_sends_the_end_of_the_session_that_it_replaces(
    alice: Person, bob: Person, sent: Sent
) -> None:
    replaced = sid(alice.logged_in())
    bob.refresh_token = alice.refresh_token
    bob.logged_in()
    alices, bobs = id_of(alice, sent.connection), id_of(bob, sent.connection)
    assert sent[1:] == [
        ("session_ended", alices, replaced, "replaced"),
        ("logged_in", bobs, sid(bob)),
    ]


def test_a_logout_sends_one_end_even_if_it_is_repeated(alice: Person, sent: Sent) -> None:
    alice.logged_in()
    again = alice.on_same_device()
    assert alice.log_out().status_code == again.log_out().status_code == 204
    assert sent.named("session_ended") == [
        (id_of(alice, sent.connection), sid(alice), "logged_out")
    ]


def test_ending_one_session_sends_its_end(alice: Person, sent: Sent) -> None:
    other = sid(alice.on_another_device().logged_in())
    alice.logged_in().call("DELETE", f"/api/me/sessions/{other}")
    alice.call("DELETE", f"/api/me/sessions/{other}")  # 404: it ended before
    assert sent.named("session_ended") == [(id_of(alice, sent.connection), other, "revoked")]


def test_ending_all_sessions_sends_the_end_of_each(alice: Person, bob: Person, sent: Sent) -> None:
    bob.logged_in()
    alices = [sid(alice.on_another_device().logged_in()), sid(alice.logged_in())]
    alice.call("DELETE", "/api/me/sessions")
    owner = id_of(alice, sent.connection)
    assert sent.named("session_ended") == [(owner, each, "revoked") for each in alices]


def test_a_change_of_the_password_sends_the_ends_and_the_new_session(
    alice: Person, bob: Person, sent: Sent
) -> None:
    bobs = sid(bob.logged_in())
    first, second = sid(alice.on_another_device().logged_in()), sid(alice.logged_in())
    alice.refresh_token = bob.refresh_token  # Bob was the last to log in to this browser
    del sent[:]
    assert change_password(alice) == 200
    owner = id_of(alice, sent.connection)
    assert sent == [
        ("password_changed", owner),
        ("session_ended", owner, first, "password_changed"),
        ("session_ended", owner, second, "password_changed"),
        ("session_ended", id_of(bob, sent.connection), bobs, "replaced"),
        ("logged_in", owner, sid(alice)),
    ]


def test_a_deletion_sends_the_ends_of_the_sessions_then_the_account(
    alice: Person, bob: Person, sent: Sent
) -> None:
    bob.logged_in()
    alice.on_another_device().logged_in().log_out()  # sent when it ended, and not again
    live = sid(alice.logged_in())
    owner = id_of(alice, sent.connection)
    del sent[:]
    assert delete_account(alice) == 204
    assert sent == [
        ("session_ended", owner, live, "account_deleted"),
        ("user_deleted", owner),
    ]


def test_operators_send_signals_too_in_their_own_process(
    operator: Operator, alice: Person, sent: Sent
) -> None:
    owner = id_of(alice, sent.connection)
    ends = {
        ("sessions", "revoke", alice.email): "revoked",
        ("sessions", "revoke", "--all"): "revoked",
        ("users", "disable", alice.email): "account_disabled",
        ("users", "set-password", alice.email): "password_changed",
        ("users", "delete", alice.email, "--yes"): "account_deleted",
    }
    for command, reason in ends.items():
        operator.run("users", "enable", alice.email)
        opened = sid(alice.on_another_device().logged_in())
        del sent[:]
        assert operator.run(*command, typed=f"{NEW}\n").exit_code == 0, command
        assert sent.named("session_ended") == [(owner, opened, reason)], command
        alice.password = NEW if reason == "password_changed" else alice.password
        assert sent.named("password_changed") == [(owner,)] * (reason == "password_changed")
        assert sent.named("user_deleted") == [(owner,)] * (reason == "account_deleted")
    del sent[:]
    assert operator.run("users", "create", "carol@example.com", typed=f"{NEW}\n").exit_code == 0
    assert [name for name, _ in sent] == ["user_registered"]


def test_an_import_sends_each_new_account(operator: Operator, alice: Person, sent: Sent) -> None:
    known = next(user.password_hash for user in users(sent.connection))
    lines = [
        json.dumps({"email": email, "hash": known})
        for email in ("carol@example.com", alice.email, "dora@example.com")
    ]
    assert operator.run("users", "import", "-", typed="\n".join(lines)).exit_code == 0
    new = [user.id for user in users(sent.connection) if user.email[0] in "cd"]
    assert sent.named("user_registered") == [(user_id,) for user_id in new]
    assert len(new) == len(sent) == 2


DEEDS: dict[str, Callable[[Person], object]] = {
    "register": lambda alice: alice.call(
        "POST", "/auth/register", json={"email": "carol@example.com", "password": NEW}
    ),
    "log in again": lambda alice: alice.log_in(),
    "log out": lambda alice: alice.log_out(),
    "end one session": lambda alice: alice.call("DELETE", f"/api/me/sessions/{sid(alice)}"),
    "end all sessions": lambda alice: alice.call("DELETE", "/api/me/sessions"),
    "change the password": change_password,
    "delete the account": delete_account,
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_rolled_back_sends_nothing(
    alice: Person, connection: Connection, sent: Sent, deed: str
) -> None:
    alice.logged_in()
    del sent[:]
    with without(connection, "security_events"):  # the transaction fails at its last statement
        DEEDS[deed](alice)
    assert sent == []


def test_a_receiver_reads_what_was_committed(
    app: Flask, alice: Person, connection: Connection, sent: Sent
) -> None:
    seen = []

    def receive(sender: Flask, **facts: Any) -> None:
        seen.append((live_sessions(connection), request.path, "access_token" in g))

    with logged_in.connected_to(receive, app):
        alice.logged_in()
        change_password(alice)
    assert seen == [(1, "/auth/login", False), (1, "/api/me/password", False)]


def test_a_receiver_that_raises_is_logged_and_hurts_neither_response_nor_receivers(
    app: Flask, alice: Person, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(sender: Flask, api_key: str = "", **facts: Any) -> None:
        raise ZeroDivisionError("the CRM is away")

    keyed = functools.partial(crash, api_key="sesame")
    for signal in ALL:
        signal.connect(keyed, app)
    try:
        carol = Person(app, "carol@example.com", NEW).register().logged_in()
        carol.log_out()
        carol.logged_in()
        assert change_password(carol) == 200
        carol.password = NEW
        assert carol.call("DELETE", "/api/me", json={"password": NEW}).status_code == 204
    finally:
        for signal in ALL:
            signal.disconnect(keyed)
    names = [name for name, *_ in sent]
    assert {name: names.count(name) for name in names} == {
        "user_registered": 1,
        "logged_in": 3,
        "session_ended": 3,
        "password_changed": 1,
        "user_deleted": 1,
    }
    lines = [line for line in caplog.records if line.name == "authsvc.signals"]
    assert len(lines) == len(sent)
    assert lines[0].getMessage() == "a receiver of user_registered failed: functools.partial"
    assert lines[0].exc_info is not None
    assert isinstance(lines[0].exc_info[1], ZeroDivisionError)
    assert "sesame" not in caplog.text


def test_a_receiver_is_named_in_the_log(
    app: Flask, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with logged_in.connected_to(crash, app), caplog.at_level(logging.ERROR):
        alice.logged_in()
    assert caplog.messages == [f"a receiver of logged_in failed: {__name__}.crash"]


def crash(sender: Flask, **facts: Any) -> None:
    raise ZeroDivisionError


ASYNC = "Install Flask with the 'async' extra in order to use async views."
"""What Flask raises where the extra is missing, as it is in production."""


@pytest.mark.once
def test_an_asynchronous_receiver_is_not_dropped_silently(
    app: Flask, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    ran = []

    async def coroutine(sender: Flask, **facts: Any) -> None:
        ran.append(sender)

    # In a thread of its own, which has no event loop: Playwright leaves one in that of the tests.
    with logged_in.connected_to(coroutine, app), ThreadPoolExecutor(1) as thread:
        thread.submit(alice.logged_in).result()
    assert ran == [app] or ASYNC in caplog.text


@pytest.mark.once
def test_a_muted_signal_is_not_sent(app: Flask, alice: Person, sent: Sent) -> None:
    with logged_in.muted():
        alice.logged_in()
    assert sent == []


@pytest.mark.once
def test_a_receiver_of_one_app_gets_no_signal_of_another(make_app: MakeApp, alice: Person) -> None:
    seen: list[Flask] = []
    with logged_in.connected_to(lambda sender, **facts: seen.append(sender), make_app()):
        alice.logged_in()
    assert seen == []


def test_a_receiver_that_leaves_its_session_open_hurts_no_other_code(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    app = make_app()
    app.teardown_appcontext(lambda error: db.session.remove())
    alice.app = app
    found = []

    def leave_a_failed_transaction(sender: Flask, number: int, **facts: Any) -> None:
        found.append((len(db.session.execute(select(User.email)).all()), "mess" in g))
        g.mess = db.session()
        db.session.execute(text("SELECT nothing FROM nowhere"))

    receivers = [functools.partial(leave_a_failed_transaction, number=each) for each in (1, 2)]
    for receiver in receivers:
        logged_in.connect(receiver, app)
    try:
        for _ in range(6):  # twice as many as the connections of the pool
            assert alice.log_in().status_code == 200
        assert change_password(alice) == 200
        assert app.test_client().get("/readyz").status_code == 200
    finally:
        for receiver in receivers:
            logged_in.disconnect(receiver)
    assert found == [(1, False)] * 14
    assert len(sessions(connection)) == 7
    assert live_sessions(connection) == 1


def test_the_names_are_those_that_the_module_exports() -> None:
    assert sorted(signal.name for signal in ALL) == sorted(signals.__all__)
    assert {user_registered, logged_in, session_ended, password_changed, user_deleted} == set(ALL)
