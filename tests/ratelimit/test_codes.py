"""Guesses of an authenticator app's code are limited for the account, however a thief asks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import NEW, link_of, reset
from tests.support.responses import assert_problem
from tests.support.second_factors import give_recovery_codes, give_totp

WRONG = "00000"  # five digits, so it is wrong at any time
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
Guess = Callable[[Person, str], TestResponse]


def log_in(person: Person, code: str) -> TestResponse:
    """Log in on another device with a code."""
    body = {**person.credentials, "code": code}
    return person.on_another_device().call("POST", "/auth/login", json=body)


def again(person: Person, code: str) -> TestResponse:
    """Authenticate again with a code."""
    return person.call("POST", "/auth/reauthenticate", json={"code": code})


def guess_until_limited(person: Person, guess: Guess = log_in) -> None:
    """Guess ten times."""
    for _ in range(10):
        assert_problem(guess(person, WRONG), 401, "invalid_credentials")


def confirm_by_change(person: Person) -> TestResponse:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body)


def confirm_by_deletion(person: Person) -> TestResponse:
    return person.call("DELETE", "/api/me", json={"password": person.password})


@pytest.mark.parametrize("confirm", [confirm_by_change, confirm_by_deletion])
def test_the_right_password_within_a_session_allows_no_further_guess(
    alice: Person, confirm: Callable[[Person], TestResponse]
) -> None:
    app = give_totp(alice.logged_in())
    guess_until_limited(alice, again)
    assert_problem(confirm(alice), 401, "reauthentication_required")
    assert_problem(again(alice, app.now()), 429, "rate_limited")


def test_logins_and_reauthentications_are_counted_together(alice: Person) -> None:
    app = give_totp(alice.logged_in())
    for _ in range(5):
        assert_problem(log_in(alice, WRONG), 401, "invalid_credentials")
        assert_problem(again(alice, WRONG), 401, "invalid_credentials")
    assert_problem(log_in(alice, app.now()), 429, "rate_limited")
    assert_problem(again(alice, app.now()), 429, "rate_limited")


def test_the_eleventh_guess_is_refused_in_either_storage(limited: Flask) -> None:
    alice = Person(limited, "alice@example.com", "a horse that is correct").register().logged_in()
    app = give_totp(alice)
    guess_until_limited(alice, again)
    assert_problem(again(alice, app.now()), 429, "rate_limited")
    assert_problem(log_in(alice, app.now()), 429, "rate_limited")


def test_a_reset_by_mail_allows_no_further_guess(mail_app: Flask) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    app = give_totp(alice)
    guess_until_limited(alice)
    assert reset(alice, link_of(alice, "reset")).status_code == 204
    alice.password = NEW
    assert_problem(log_in(alice, app.now()), 429, "rate_limited")
    assert_problem(alice.log_in(), 401, "second_factor_required")


def test_a_recovery_code_logs_in_beside_too_many_guesses(alice: Person) -> None:
    app, (code, *_) = give_totp(alice.logged_in()), give_recovery_codes(alice)
    guess_until_limited(alice, again)
    body = {**alice.credentials, "recovery_code": code}
    assert alice.call("POST", "/auth/login", json=body).status_code == 200
    assert_problem(again(alice, app.now()), 429, "rate_limited")


def test_a_right_code_forgets_the_wrong_ones(alice: Person) -> None:
    app = give_totp(alice.logged_in())
    for _ in range(9):
        again(alice, WRONG)
    assert again(alice, app.now()).status_code == 200
    guess_until_limited(alice, again)


def test_after_a_hundred_wrong_codes_no_guess_is_allowed_for_a_day(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        app = give_totp(alice)
        for _ in range(10):
            guess_until_limited(alice, again)
            clock.shift(timedelta(minutes=15))
        assert_problem(again(alice, app.now()), 429, "rate_limited")
        clock.move_to(NOON + timedelta(days=1))
        assert again(alice, app.now()).status_code == 200


def test_a_code_forgets_no_wrong_password(alice: Person) -> None:
    """The thief of a session may have set up the app."""
    app = give_totp(alice.logged_in())
    alice.password, right = "not the password of Alice", alice.password
    for _ in range(10):
        assert_problem(confirm_by_change(alice), 403, "wrong_password")
    assert again(alice, app.now()).status_code == 200
    alice.password = right
    assert_problem(confirm_by_change(alice), 429, "rate_limited")


def test_an_operator_who_unlocks_the_account_allows_codes_again(
    alice: Person, operator: Operator
) -> None:
    app = give_totp(alice.logged_in())
    guess_until_limited(alice, again)
    assert operator.run("users", "unlock", alice.email).exit_code == 0
    assert again(alice, app.now()).status_code == 200


def test_a_code_beside_a_password_without_a_second_factor_is_not_counted(alice: Person) -> None:
    for _ in range(11):
        assert log_in(alice, "000000").status_code == 200


@pytest.mark.only("sqlite")
def test_tokens_arrive_if_failures_cannot_be_forgotten(
    alice: Person, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    app = give_totp(alice)
    log_in(alice, WRONG)
    refuse = (
        "CREATE TRIGGER kept BEFORE DELETE ON rate_limits BEGIN SELECT RAISE(ABORT, 'kept'); END"
    )
    connection.execute(text(refuse))
    try:
        answer = log_in(alice, app.now())
    finally:
        connection.execute(text("DROP TRIGGER kept"))
    assert answer.status_code == 200
    assert "Set-Cookie" in answer.headers
    assert caplog.text.count("failures before a success were not forgotten") == 2
