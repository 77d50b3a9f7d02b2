"""A login or a change that fails uses up no code, no recovery code and no challenge."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from authsvc.database import our_engine
from authsvc.factors.model import Passkey, RecoveryCode, Totp, UsedChallenge
from authsvc.sessions.model import RefreshToken
from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.faults.conftest import Rounds, Serve
from tests.faults.test_database_away import assert_unavailable, everything_locked
from tests.faults.with_factors import at_once, close, settings_of, town
from tests.support.authenticator_app import scan
from tests.support.passkeys import add_passkey, assertion, creation_options, request_options, send
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.signing_secrets import REFRESH_SECRET
from tests.support.software_authenticator import SoftwareAuthenticator

Request = Callable[[], TestResponse]
OTHER_SECRET = REFRESH_SECRET[::-1].hex()


@contextmanager
def commits_that_fail(app: Flask, statement: str) -> Iterator[None]:
    """Within the block, a transaction with such a statement loses its database at the commit."""
    with app.app_context():
        engine = our_engine()
    doomed: set[Connection] = set()

    def watch(connection: Connection, _cursor: Any, executed: str, *_: Any) -> None:
        if executed.startswith(statement):
            doomed.add(connection)

    def refuse(connection: Connection) -> None:
        if connection in doomed:
            raise OperationalError("COMMIT", {}, Exception("the connection is lost"))

    event.listen(engine, "before_cursor_execute", watch)
    event.listen(engine, "commit", refuse)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", watch)
        event.remove(engine, "commit", refuse)
    assert doomed


def logging_in(person: Person, **factor: Any) -> Request:
    body = {**person.credentials, **factor}
    return lambda: person.on_another_device().call("POST", "/auth/login", json=body)


def again(person: Person, **factor: Any) -> Request:
    return lambda: person.call("POST", "/auth/reauthenticate", json=factor)


def with_totp(alice: Person) -> Request:
    return logging_in(alice, code=give_totp(alice).now())


def with_recovery_code(alice: Person) -> Request:
    give_totp(alice)
    return logging_in(alice, recovery_code=give_recovery_codes(alice)[0])


def with_passkey(alice: Person) -> Request:
    passkey = assertion(alice, add_passkey(alice))
    return logging_in(alice, passkey=passkey)


def with_passkey_alone(alice: Person) -> Request:
    passkey = assertion(alice, add_passkey(alice))
    return lambda: send(alice.on_another_device(), passkey)


def again_with_totp(alice: Person) -> Request:
    return again(alice, code=give_totp(alice).now())


def again_with_passkey(alice: Person) -> Request:
    return again(alice, passkey=assertion(alice, add_passkey(alice)))


def confirming(alice: Person) -> Request:
    body = {"code": scan(alice).code()}
    return lambda: alice.call("PUT", "/api/me/totp", json=body)


def adding_a_passkey(alice: Person) -> Request:
    credential = SoftwareAuthenticator().create(creation_options(alice))
    body = {"name": "phone", "credential": credential}
    return lambda: alice.call("POST", "/api/me/passkeys", json=body)


DEEDS: dict[str, tuple[Callable[[Person], Request], str]] = {
    "log in by code": (with_totp, "INSERT INTO refresh_tokens"),
    "log in by recovery code": (with_recovery_code, "INSERT INTO refresh_tokens"),
    "log in by password and passkey": (with_passkey, "INSERT INTO refresh_tokens"),
    "log in by passkey": (with_passkey_alone, "INSERT INTO refresh_tokens"),
    "reauthenticate by code": (again_with_totp, "UPDATE refresh_tokens"),
    "reauthenticate by passkey": (again_with_passkey, "UPDATE refresh_tokens"),
    "confirm an app": (confirming, "INSERT INTO recovery_codes"),
    "add a passkey": (adding_a_passkey, "INSERT INTO passkeys"),
}


def used(connection: Connection) -> object:
    """Return what is stored of factors, and of what was used."""
    tables = (Totp.__table__, RecoveryCode.__table__, Passkey.__table__, UsedChallenge.__table__)
    rows = [[*map(tuple, connection.execute(select(table)))] for table in tables]
    return rows, connection.execute(
        text("SELECT id, amr, authenticated_at FROM refresh_tokens")
    ).all()


@pytest.mark.parametrize("deed", DEEDS)
def test_a_commit_that_fails_uses_nothing_up(
    alice: Person, connection: Connection, deed: str
) -> None:
    prepare, statement = DEEDS[deed]
    ask = prepare(alice.logged_in())
    before = used(connection)
    with commits_that_fail(alice.app, statement):
        failed = ask()
    assert_problem(failed, 503, "service_unavailable")
    assert "Set-Cookie" not in failed.headers
    assert used(connection) == before
    assert ask().status_code in (200, 201)
    assert used(connection) != before


@pytest.mark.parametrize("deed", DEEDS)
def test_an_event_that_cannot_be_recorded_uses_nothing_up(
    alice: Person, connection: Connection, deed: str
) -> None:
    prepare, _ = DEEDS[deed]
    ask = prepare(alice.logged_in())
    before = used(connection)
    with without(connection, "security_events"):
        failed = ask()
    assert failed.status_code in (500, 503)
    assert "Set-Cookie" not in failed.headers
    assert used(connection) == before
    assert ask().status_code in (200, 201)


def test_a_recovery_code_is_not_used_if_the_owner_cannot_be_told(
    mail_app: Flask, connection: Connection
) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    ask = with_recovery_code(alice)
    unused = select(func.count()).where(RecoveryCode.used_at.is_(None))
    with without(connection, "outbox"):
        assert ask().status_code in (500, 503)
    assert connection.execute(unused).scalar_one() == 10
    assert ask().status_code == 200
    assert connection.execute(unused).scalar_one() == 9


def test_a_challenge_is_good_after_a_restart(make_app: MakeApp, alice: Person) -> None:
    authenticator = add_passkey(alice.logged_in())
    options = request_options(alice)
    alice.app = make_app()
    assert send(alice, authenticator.get(options)).status_code == 200


def test_a_challenge_of_the_previous_refresh_secret_is_good(
    make_app: MakeApp, alice: Person
) -> None:
    authenticator = add_passkey(alice.logged_in())
    options = request_options(alice)
    previous = REFRESH_SECRET.hex()
    alice.app = make_app(refresh_token_secret=OTHER_SECRET, refresh_token_secret_previous=previous)
    assert send(alice, authenticator.get(options)).status_code == 200


def test_a_challenge_of_another_service_is_refused(make_app: MakeApp, alice: Person) -> None:
    authenticator = add_passkey(alice.logged_in())
    other = Person(make_app(refresh_token_secret=OTHER_SECRET), alice.email, alice.password)
    credential = assertion(other, authenticator)
    assert_problem(send(alice, credential), 401, "invalid_credentials")
    assert send(other, credential).status_code == 200


@pytest.mark.only("sqlite")
def test_a_locked_database_is_a_503_and_uses_nothing_up(
    serve: Serve, url: str, tmp_path: Path
) -> None:
    with serve(workers=1, **settings_of(tmp_path)) as service:
        people = town(url, service.port, tmp_path)
        alice = people.person()
        code, passkey = alice.with_totp().now(), alice.with_passkey()
        recovery_code, *_ = alice.with_codes()
        visitor = alice.visitor.logged_in_with(recovery_code=recovery_code)
        credential = alice.assertion(passkey)
        asked = [
            partial(visitor.call, "POST", "/auth/passkey", {"credential": credential}),
            partial(visitor.call, "POST", "/auth/reauthenticate", {"code": code}),
            partial(visitor.call, "POST", "/api/me/recovery-codes", {}),
        ]
        with everything_locked(url):
            by_passkey, again, replaced = at_once(*asked)
        for refused in (by_passkey, again, replaced):
            assert_unavailable(refused)
        assert alice.rows(RecoveryCode, RecoveryCode.used_at.is_(None)) == 9
        assert visitor.call("POST", "/auth/reauthenticate", {"code": code}).status == 200
        assert visitor.call("POST", "/auth/passkey", {"credential": credential}).status == 200
        close(people.app)


def test_a_kill_during_a_login_leaves_a_session_or_the_recovery_code(
    serve: Serve, url: str, tmp_path: Path, rounds: Rounds
) -> None:
    people = town(url, 0, tmp_path)
    alice = people.person()
    alice.with_totp()
    for number in rounds(2, 40):
        code, *_ = alice.with_codes()
        sessions = alice.rows(RefreshToken)
        with serve(workers=1, **settings_of(tmp_path)) as service:
            alice.visitor.port = service.port
            with ThreadPoolExecutor(1) as threads:
                login = threads.submit(alice.visitor.log_in, recovery_code=code)
                time.sleep(0.03 + number % 20 / 200)
                service.kill()
                with suppress(OSError, HTTPException):
                    assert login.result().status == 200
        opened = alice.rows(RefreshToken) - sessions
        assert opened + alice.rows(RecoveryCode, RecoveryCode.used_at.is_(None)) == 10
    close(people.app)
