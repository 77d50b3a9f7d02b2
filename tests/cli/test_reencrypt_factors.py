"""`users reencrypt-factors`: V5, the rotation of AUTHSVC_FACTOR_SECRET."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.admin import reencrypt_factors
from authsvc.factors.encryption import SecretBox
from tests.conftest import MakeApp
from tests.support.authenticator_app import AuthenticatorApp, confirm, log_in_with, scan, set_up
from tests.support.factor_rows import totp_rows
from tests.support.factor_secrets import LOST, NEXT_SECRET, ROTATED, ROTATING
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, events, sessions
from tests.support.signing_secrets import FACTOR_SECRET

COMMAND = ("users", "reencrypt-factors")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def during(database_url: str) -> Operator:
    """An operator in the middle of a rotation."""
    return Operator(database_url, **ROTATING)


def with_app(person: Person) -> tuple[Person, AuthenticatorApp]:
    app, _ = set_up(person.logged_in())
    return person, app


def encrypted(secrets: int) -> str:
    """Return what the command prints."""
    return f"Secrets encrypted under AUTHSVC_FACTOR_SECRET: {secrets}.\n"


def code_works(person: Person, app: AuthenticatorApp) -> bool:
    answer = log_in_with(person.on_another_device(), code=app.code())
    if answer.status_code == 200:
        return True
    assert_problem(answer, 401, "invalid_credentials")
    return False


def test_after_it_the_previous_secret_is_not_needed_and_each_app_still_works(
    make_app: MakeApp,
    during: Operator,
    alice: Person,
    bob: Person,
    clock: time_machine.Traveller,
) -> None:
    people = [with_app(alice), with_app(bob)]
    done = during.run(*COMMAND)
    assert (done.exit_code, done.stdout) == (0, encrypted(2))
    assert "AUTHSVC_FACTOR_SECRET_PREVIOUS is not needed any more." in done.stderr
    clock.shift(60)
    for person, app in people:
        person.app = make_app(**ROTATED)
        assert code_works(person, app)


def test_without_it_an_app_does_not_work_once_the_previous_secret_is_unset(
    make_app: MakeApp, alice: Person, clock: time_machine.Traveller
) -> None:
    alice, app = with_app(alice)
    clock.shift(60)
    alice.app = make_app(**ROTATED)
    assert not code_works(alice, app)
    alice.app = make_app(**ROTATING)
    assert code_works(alice, app)


def test_it_ends_no_session_and_records_no_event(
    during: Operator, alice: Person, connection: Connection
) -> None:
    with_app(alice)
    before = sessions(connection), events(connection)
    during.run(*COMMAND)
    assert (sessions(connection), events(connection)) == before
    assert alice.refresh().status_code == 200


def test_a_secret_that_was_not_confirmed_can_be_confirmed_after_it(
    make_app: MakeApp, during: Operator, alice: Person
) -> None:
    app = scan(alice.logged_in())
    assert during.run(*COMMAND).exit_code == 0
    alice.app = make_app(**ROTATED)
    assert confirm(alice, app.code()).status_code == 200


def test_it_can_be_run_again_also_without_the_previous_secret(
    database_url: str, during: Operator, alice: Person, connection: Connection
) -> None:
    with_app(alice)
    (before,) = totp_rows(connection)
    for operator in (during, during, Operator(database_url, **ROTATED)):
        done = operator.run(*COMMAND)
        assert (done.exit_code, done.stdout) == (0, encrypted(1))
    (after,) = totp_rows(connection)
    assert after.secret != before.secret
    assert (after.confirmed_at, after.last_step) == (before.confirmed_at, before.last_step)


def test_a_code_that_was_used_before_it_is_not_accepted_after_it(
    make_app: MakeApp, during: Operator, alice: Person
) -> None:
    alice, app = with_app(alice)  # its code of now has confirmed it
    during.run(*COMMAND)
    alice.app = make_app(**ROTATED)
    assert not code_works(alice, app)


def test_what_cannot_be_decrypted_is_named_and_stays_and_the_rest_is_encrypted(
    make_app: MakeApp, during: Operator, alice: Person, bob: Person, connection: Connection
) -> None:
    with_app(alice)
    bob.app = make_app(**LOST)
    with_app(bob)
    before = {row.user_id: row.secret for row in totp_rows(connection)}
    done = during.run(*COMMAND)
    assert (done.exit_code, done.stdout) == (1, encrypted(1))
    assert "bob@example.com: the secret cannot be decrypted" in done.stderr
    assert "alice@example.com" not in done.stderr
    assert "Secrets that cannot be decrypted: 1. Neither AUTHSVC_FACTOR_SECRET nor" in done.stderr
    kept = [row for row in totp_rows(connection) if row.secret == before[row.user_id]]
    assert len(kept) == 1
    assert FACTOR_SECRET.hex() not in done.output
    assert NEXT_SECRET.hex() not in done.output


def test_without_apps_there_is_nothing_to_do(during: Operator, alice: Person) -> None:
    done = during.run(*COMMAND)
    assert (done.exit_code, done.stdout) == (0, encrypted(0))


def test_without_a_secret_it_says_what_to_set(operator: Operator, alice: Person) -> None:
    operator.environment.pop("AUTHSVC_FACTOR_SECRET", None)
    done = operator.run(*COMMAND)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "AUTHSVC_FACTOR_SECRET is not set" in done.stderr


@pytest.mark.parametrize("page", [1, 2, 3])
def test_every_page_is_encrypted(
    during: Operator,
    app: Flask,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setattr(reencrypt_factors, "PAGE", page)
    for number in range(3):
        with_app(Person(app, f"p{number}@example.com", "an umbrella in the sun").register())
    assert during.run(*COMMAND).stdout == encrypted(3)
    rows, box = totp_rows(connection), SecretBox(NEXT_SECRET)
    assert len(rows) == 3
    assert all(box.decrypt(row.secret) for row in rows)


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [("UPDATE totp SET secret = 'another'", ["another"]), ("DELETE FROM totp", [])],
)
def test_a_secret_that_changes_meanwhile_is_left_alone(
    during: Operator,
    alice: Person,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: str,
    left: list[str],
) -> None:
    """The person removes the app and sets up another one between the reading and the writing."""
    with_app(alice)
    usual = SecretBox.encrypt_again

    def encrypt_again(box: SecretBox, stored: str) -> str | None:
        connection.execute(text(meanwhile))
        return usual(box, stored)

    monkeypatch.setattr(SecretBox, "encrypt_again", encrypt_again)
    done = during.run(*COMMAND)
    assert (done.exit_code, done.stdout) == (0, encrypted(0))
    assert [row.secret for row in totp_rows(connection)] == left
