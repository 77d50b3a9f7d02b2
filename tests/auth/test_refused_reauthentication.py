"""POST /auth/reauthenticate: limits, and sessions that are not live."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Connection, text

from tests.ratelimit.cases import assert_limited
from tests.support.hash_counts import counted_hashes
from tests.support.people import Person
from tests.support.reauthentication import (
    acting_before,
    again,
    by_password,
    events_of,
    reauthentications,
)
from tests.support.responses import assert_problem
from tests.support.second_factors import give_totp

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WRONG = "not the password of Alice"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize("wrong", [{"password": WRONG}, {"code": "00000"}], ids=["pwd", "otp"])
def test_wrong_ones_are_limited_and_a_right_one_is_refused_then(
    alice: Person, clock: time_machine.Traveller, wrong: dict[str, str]
) -> None:
    app = give_totp(alice.logged_in())
    right = {"password": alice.password} if "password" in wrong else {"code": app.now()}
    for _ in range(10):
        assert_problem(again(alice, **wrong), 401, "invalid_credentials")
    with counted_hashes(alice.app) as hashes:
        assert_limited(again(alice, **right), 900, 900)
    assert hashes.calls == 0
    assert alice.refresh().status_code == 200
    clock.shift(900)
    assert again(alice, code=app.now()).status_code == 200


def test_a_right_one_forgets_the_wrong_ones(alice: Person) -> None:
    alice.logged_in()
    for _ in range(3):
        for _ in range(9):
            assert_problem(again(alice, password=WRONG), 401, "invalid_credentials")
        assert by_password(alice).status_code == 200


def test_failed_logins_of_an_outsider_do_not_hinder_the_owner(alice: Person) -> None:
    alice.logged_in()
    outsider = Person(alice.app, alice.email, WRONG)
    for _ in range(10):
        assert_problem(outsider.log_in(), 401, "invalid_credentials")
    assert outsider.log_in().status_code == 429
    assert by_password(alice).status_code == 200


def test_wrong_ones_do_not_hinder_a_login(alice: Person) -> None:
    tablet = alice.on_another_device()
    alice.logged_in()
    for _ in range(10):
        again(alice, password=WRONG)
    assert_limited(by_password(alice), 1, 900)
    assert tablet.log_in().status_code == 200


@pytest.mark.parametrize("cookie", ["", "garbage", "a.b.c", "x" * 5000])
def test_a_garbage_cookie_is_refused(alice: Person, cookie: str) -> None:
    headers = {"Cookie": f"__Host-refresh_token={cookie}"}
    answer = again(alice, password=alice.password, headers=headers)
    assert_problem(answer, 401, "refresh_token_invalid")


def test_without_a_cookie_it_is_refused_and_an_access_token_does_not_count(alice: Person) -> None:
    alice.logged_in().refresh_token = ""
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    for headers in ({}, bearer):
        assert_problem(by_password(alice, **headers), 401, "refresh_token_missing")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE refresh_tokens SET revoked_at = issued_at", "refresh_token_revoked"),
        ("UPDATE refresh_tokens SET expires_at = issued_at", "refresh_token_expired"),
        ("UPDATE users SET disabled_at = created_at", "refresh_token_revoked"),
        ("DELETE FROM users", "refresh_token_revoked"),
        ("DELETE FROM refresh_tokens", "refresh_token_invalid"),
        ("UPDATE refresh_tokens SET token_hash = user_agent", "refresh_token_invalid"),
    ],
)
def test_a_session_that_is_not_live_is_refused_before_the_password_is_verified(
    alice: Person, connection: Connection, change: str, code: str
) -> None:
    alice.log_in(**{"User-Agent": "a browser"})
    if "token_hash" in change:
        change = "UPDATE refresh_tokens SET token_hash = :other"
    connection.execute(text(change), {"other": b"other"} if ":other" in change else {})
    with counted_hashes(alice.app) as hashes:
        assert_problem(by_password(alice), 401, code)
    assert hashes.calls == 0


def test_an_idle_session_is_refused(alice: Person, clock: time_machine.Traveller) -> None:
    alice.logged_in()
    clock.shift(timedelta(days=3))
    assert_problem(by_password(alice), 401, "refresh_token_expired")


def test_after_a_logout_it_is_refused(alice: Person, connection: Connection) -> None:
    kept = alice.logged_in().on_same_device()
    alice.log_out()
    assert_problem(by_password(kept), 401, "refresh_token_revoked")
    assert events_of(connection, "refresh_refused") == [
        ("refresh_refused", "refresh_token_revoked")
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE refresh_tokens SET revoked_at = issued_at", "refresh_token_revoked"),
        ("UPDATE users SET disabled_at = created_at", "refresh_token_revoked"),
        ("DELETE FROM users", "invalid_credentials"),  # there is no password to compare with
    ],
)
def test_a_session_that_ends_before_the_account_is_locked_is_refused(
    alice: Person, connection: Connection, change: str, code: str
) -> None:
    """The account's failures are counted between the look at the session and the lock."""
    alice.logged_in()
    with acting_before(alice.app, "rate_limits", lambda: connection.execute(text(change))):
        assert_problem(by_password(alice), 401, code)
    assert reauthentications(connection) == []


def test_a_session_that_expires_while_the_password_is_verified_is_refused(
    alice: Person, clock: time_machine.Traveller
) -> None:
    alice.logged_in()
    clock.shift(timedelta(days=3) - timedelta(seconds=1))
    alice.refresh()
    clock.shift(timedelta(days=3) - timedelta(seconds=1))
    alice.refresh()
    clock.shift(timedelta(days=1))
    with acting_before(alice.app, "users.password_hash", lambda: clock.shift(2)):
        assert_problem(by_password(alice), 401, "refresh_token_expired")


@pytest.mark.only("postgres")
def test_a_logout_between_the_look_and_the_write_refuses_it(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    revoke = text("UPDATE refresh_tokens SET revoked_at = issued_at")
    with acting_before(
        alice.app, "UPDATE refresh_tokens SET amr", lambda: connection.execute(revoke)
    ):
        assert_problem(by_password(alice), 401, "refresh_token_revoked")
    assert reauthentications(connection) == []
