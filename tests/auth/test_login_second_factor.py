"""POST /auth/login of an account with a second factor."""

import hashlib
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.factors.second_factor import Given
from authsvc.problems import SecondFactorRequired
from tests.conftest import MakeApp
from tests.ratelimit.cases import assert_limited
from tests.support.direct_login import open_for, verify_password
from tests.support.hash_counts import counted_hashes
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    events,
    live_sessions,
    pointers,
    sessions,
)
from tests.support.second_factors import give_recovery_codes, give_totp, take_totp

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
OTHER = hashlib.sha512(b"another factor secret").hexdigest()
NO_CODE = "00000"  # six digits may be right by chance
WRONG = "not the password of Alice"
PASSKEY = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AAAA"},
}
FACTORS: list[dict[str, object]] = [
    {"code": NO_CODE},
    {"code": ""},
    {"recovery_code": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"},
    {"passkey": PASSKEY},
]


def log_in(person: Person, **factor: object) -> TestResponse:
    return person.call("POST", "/auth/login", json={**person.credentials, **factor})


def failures(connection: Connection) -> list[int]:
    """Return the counts of failed logins, and of all else that is limited."""
    rows = connection.execute(text("SELECT count FROM rate_limits ORDER BY key"))
    return [row.count for row in rows]


def last_event(connection: Connection) -> tuple[str, str | None]:
    row = events(connection)[-1]
    return row.event, row.detail


def assert_factor_required(answer: TestResponse, *methods: str) -> None:
    assert_problem(answer, 401, "second_factor_required")
    assert answer.json["methods"] == list(methods)
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers
    assert "access_token" not in answer.json


def test_the_password_alone_opens_nothing_and_the_response_lists_the_factors(
    alice: Person, connection: Connection
) -> None:
    give_totp(alice)
    recorded = events(connection)
    assert_factor_required(alice.log_in(), "totp")
    give_recovery_codes(alice)
    assert_factor_required(alice.log_in(), "totp", "recovery_code")
    assert sessions(connection) == []
    assert events(connection) == recorded


def test_with_the_code_it_opens_a_session_of_two_factors(
    alice: Person, connection: Connection
) -> None:
    app = give_totp(alice)
    assert log_in(alice, code=app.now()).status_code == 200
    token = claims(alice.access_token)
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    (row,) = sessions(connection)
    assert (row.amr, row.authenticated_at) == ("pwd otp mfa", row.issued_at)
    assert last_event(connection) == ("logged_in", "pwd otp mfa")


def test_a_recovery_code_opens_a_session_of_two_factors_once(
    alice: Person, connection: Connection
) -> None:
    give_totp(alice)
    code, *_ = give_recovery_codes(alice)
    assert log_in(alice, recovery_code=code).status_code == 200
    assert claims(alice.access_token)["amr"] == ["pwd", "otp", "mfa"]
    assert {row.event for row in events(connection)[-2:]} == {"recovery_code_used", "logged_in"}
    again = alice.on_another_device()
    assert_problem(log_in(again, recovery_code=code), 401, "invalid_credentials")
    assert last_event(connection) == ("login_refused", "wrong_recovery_code")


def test_a_session_without_a_second_factor_is_one_of_the_password(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    token = claims(alice.access_token)
    assert (token["amr"], token["acr"]) == (["pwd"], "aal1")
    assert sessions(connection)[0].amr == "pwd"
    assert last_event(connection) == ("logged_in", None)


def test_the_right_password_without_its_factor_neither_counts_nor_clears_a_failure(
    alice: Person, connection: Connection
) -> None:
    app = give_totp(alice)
    wrong = Person(alice.app, alice.email, WRONG)
    for _ in range(9):
        assert_problem(wrong.log_in(), 401, "invalid_credentials")
    before = failures(connection)
    for _ in range(5):
        assert_factor_required(alice.log_in(), "totp")
    assert failures(connection) == before
    assert_problem(wrong.log_in(), 401, "invalid_credentials")
    assert_limited(log_in(alice, code=app.now()), 1, 900)


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_a_wrong_factor_counts_as_a_failed_login(
    alice: Person, connection: Connection, factor: dict[str, object]
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        app = give_totp(alice)
        for _ in range(10):
            answer = log_in(alice, **factor)
            assert_problem(answer, 401, "invalid_credentials")
            assert "Set-Cookie" not in answer.headers
        with counted_hashes(alice.app) as hashes:
            assert_limited(log_in(alice, code=app.now()), 900, 900)
            assert_limited(alice.log_in(), 900, 900)
        assert hashes.calls == 0
        clock.shift(900)
        assert log_in(alice, code=app.now()).status_code == 200
    assert [row.event for row in events(connection)].count("login_refused") == 10


def test_a_good_login_with_both_clears_the_failures(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        app = give_totp(alice)
        for _ in range(3):
            for _ in range(9):
                assert_problem(log_in(alice, code=NO_CODE), 401, "invalid_credentials")
            assert log_in(alice, code=app.now()).status_code == 200
            clock.shift(30)


@pytest.mark.parametrize("factor", [{}, *FACTORS], ids=str)
def test_a_wrong_password_gets_the_same_response_with_and_without_a_second_factor(
    alice: Person, bob: Person, factor: dict[str, object]
) -> None:
    give_totp(alice)
    give_recovery_codes(alice)
    unknown = Person(alice.app, "unknown@example.com", WRONG)
    answers = []
    for person in (alice, bob, unknown):
        person.password = WRONG
        with counted_hashes(person.app) as hashes:
            body = {**person.credentials, **factor}
            sent = {"X-Request-ID": "one"}
            answers.append(person.call("POST", "/auth/login", json=body, headers=sent))
        assert hashes.calls == 1
    for answer in answers:
        assert_problem(answer, 401, "invalid_credentials")
        assert answer.data == answers[0].data
        assert list(answer.headers) == list(answers[0].headers)


def test_a_wrong_factor_gets_the_same_response_as_a_wrong_password(alice: Person) -> None:
    give_totp(alice)
    sent = {"X-Request-ID": "one"}
    wrong = Person(alice.app, alice.email, WRONG).log_in(**sent)
    body = {**alice.credentials, "code": NO_CODE}
    with counted_hashes(alice.app) as hashes:
        answer = alice.call("POST", "/auth/login", json=body, headers=sent)
    assert hashes.calls == 1
    assert answer.data == wrong.data
    assert list(answer.headers) == list(wrong.headers)


@pytest.mark.once
@pytest.mark.parametrize(
    "both",
    [
        {"code": NO_CODE, "recovery_code": "x"},
        {"code": NO_CODE, "passkey": PASSKEY},
        {"recovery_code": "x", "passkey": PASSKEY},
    ],
    ids=str,
)
def test_two_factors_at_once_are_refused_before_the_password_is_verified(
    alice: Person, both: dict[str, object]
) -> None:
    with counted_hashes(alice.app) as hashes:
        assert pointers(log_in(alice, **both)) == [""]
    assert hashes.calls == 0


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_a_factor_of_an_account_without_one_is_ignored(
    alice: Person, connection: Connection, factor: dict[str, object]
) -> None:
    assert log_in(alice, **factor).status_code == 200
    assert sessions(connection)[0].amr == "pwd"


def test_recovery_codes_alone_are_no_second_factor(alice: Person, connection: Connection) -> None:
    code, *_ = give_recovery_codes(alice)
    assert log_in(alice, recovery_code=code).status_code == 200
    assert sessions(connection)[0].amr == "pwd"


def test_a_factor_that_is_confirmed_while_the_password_is_verified_is_demanded(
    alice: Person, app: Flask, connection: Connection
) -> None:
    with app.app_context():
        authenticated = verify_password(alice.email, alice.password)
    authenticator = give_totp(alice)
    with app.app_context():
        with pytest.raises(SecondFactorRequired):
            open_for(authenticated)
        assert live_sessions(connection) == 0
        open_for(authenticated, Given(code=authenticator.now()))
    assert [row.amr for row in sessions(connection)] == ["pwd otp mfa"]


def test_a_factor_that_is_removed_while_the_password_is_verified_is_not_demanded(
    alice: Person, app: Flask, connection: Connection
) -> None:
    give_totp(alice)
    with app.app_context():
        authenticated = verify_password(alice.email, alice.password)
    take_totp(alice)
    with app.app_context():
        open_for(authenticated)
    assert [row.amr for row in sessions(connection)] == ["pwd"]


def test_a_code_of_one_account_is_wrong_for_another(alice: Person, bob: Person) -> None:
    give_totp(alice)
    his = give_totp(bob)
    assert_problem(log_in(alice, code=his.now()), 401, "invalid_credentials")


def test_a_live_session_is_replaced_only_when_the_login_succeeds(
    alice: Person, connection: Connection
) -> None:
    first = alice.logged_in().refresh_token
    app = give_totp(alice)
    assert_factor_required(alice.log_in(), "totp")
    assert_problem(log_in(alice, code=NO_CODE), 401, "invalid_credentials")
    assert alice.refresh().status_code == 200
    assert log_in(alice, code=app.now()).status_code == 200
    old, new = sessions(connection)
    assert old.revoked_at is not None
    assert new.revoked_at is None
    alice.refresh_token = first
    assert_problem(alice.refresh(), 401, "refresh_token_revoked")


def test_a_disabled_account_gets_the_response_of_a_wrong_password(
    alice: Person, connection: Connection
) -> None:
    app = give_totp(alice)
    connection.execute(text("UPDATE users SET disabled_at = created_at"))
    for answer in (alice.log_in(), log_in(alice, code=app.now())):
        assert_problem(answer, 401, "invalid_credentials")
    connection.execute(text("UPDATE users SET disabled_at = NULL"))
    assert log_in(alice, code=app.now()).status_code == 200  # it was not used up


def test_where_addresses_must_be_verified_this_comes_before_the_second_factor(
    alice: Person, required_app: Flask, connection: Connection
) -> None:
    app = give_totp(alice)
    unverified = Person(required_app, alice.email, alice.password)
    for answer in (unverified.log_in(), log_in(unverified, code=app.now())):
        assert_problem(answer, 403, "email_unverified")
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))
    assert_factor_required(unverified.log_in(), "totp")
    assert log_in(unverified, code=app.now()).status_code == 200


@pytest.mark.parametrize(
    "lost", [{"factor_secret": None}, {"factor_secret": OTHER}], ids=["none", "another"]
)
def test_without_its_key_a_factor_is_demanded_all_the_same(
    alice: Person, make_app: MakeApp, lost: dict[str, str | None]
) -> None:
    app = give_totp(alice)
    code, *_ = give_recovery_codes(alice)
    alice.app = make_app(**lost)
    assert_factor_required(alice.log_in(), "totp", "recovery_code")
    assert_problem(log_in(alice, code=app.now()), 401, "invalid_credentials")
    assert log_in(alice, recovery_code=code).status_code == 200
