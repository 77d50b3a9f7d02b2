"""POST /auth/reauthenticate: a person authenticates again within a session."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Connection, text

from tests.conftest import MakeApp
from tests.support.given_passkeys import give_passkey
from tests.support.passkeys import assertion
from tests.support.people import Person
from tests.support.reauthentication import again, by_password, reauthentications
from tests.support.responses import assert_problem, claims, events, pointers, sessions
from tests.support.second_factors import give_recovery_codes, give_totp, take_totp

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WRONG = "not the password of Alice"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_the_password_sets_auth_time_to_now(
    alice: Person, clock: time_machine.Traveller, connection: Connection
) -> None:
    before = claims(alice.logged_in().access_token)
    clock.shift(HOUR)
    answer = by_password(alice)
    assert answer.status_code == 200
    after = claims(answer.json["access_token"])
    assert answer.json == {
        "access_token": alice.access_token,
        "token_type": "Bearer",
        "expires_in": 600,
    }
    assert after["auth_time"] == after["iat"] == before["auth_time"] + 3600
    assert (after["amr"], after["acr"]) == (["pwd"], "aal1")
    assert (after["sid"], after["sub"]) == (before["sid"], before["sub"])
    assert sessions(connection)[0].authenticated_at == NOON + HOUR


def test_later_refreshes_keep_what_the_reauthentication_stored(
    alice: Person, clock: time_machine.Traveller
) -> None:
    app = give_totp(alice.logged_in())
    clock.shift(HOUR)
    assert again(alice, code=app.now()).status_code == 200
    clock.shift(HOUR)
    assert alice.refresh().status_code == 200
    refreshed = claims(alice.access_token)
    assert refreshed["auth_time"] == refreshed["iat"] - 3600
    assert (refreshed["amr"], refreshed["acr"]) == (["pwd", "otp", "mfa"], "aal2")


def test_the_expiry_of_the_session_does_not_move(
    alice: Person, clock: time_machine.Traveller, connection: Connection
) -> None:
    alice.logged_in()
    (before,) = sessions(connection)
    for _ in range(6):
        clock.shift(timedelta(days=1))
        assert alice.refresh().status_code == 200
        assert by_password(alice).status_code == 200
    (after,) = sessions(connection)
    assert (after.issued_at, after.expires_at) == (before.issued_at, before.expires_at)
    clock.shift(timedelta(days=1, seconds=-30))
    assert by_password(alice).json["expires_in"] == 30
    clock.shift(30)
    assert_problem(by_password(alice), 401, "refresh_token_expired")


def test_a_code_adds_its_methods_to_those_of_the_session(alice: Person) -> None:
    app = give_totp(alice.logged_in())
    assert claims(alice.access_token)["amr"] == ["pwd"]
    assert again(alice, code=app.now()).status_code == 200
    token = claims(alice.access_token)
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], "aal2")


def test_the_password_takes_the_place_of_a_passkey_that_was_removed(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET amr = 'swk mfa'"))
    assert by_password(alice).status_code == 200
    assert claims(alice.access_token)["amr"] == ["pwd"]
    assert sessions(connection)[0].amr == "pwd"


def test_a_passkey_adds_its_methods_and_is_enough_with_a_second_factor(
    alice: Person, connection: Connection
) -> None:
    authenticator = give_passkey(alice.logged_in())
    answer = by_password(alice)
    assert_problem(answer, 401, "second_factor_required")
    assert answer.json["methods"] == ["passkey"]
    response = assertion(alice, authenticator)
    assert again(alice, passkey=response).status_code == 200
    token = claims(alice.access_token)
    assert (token["amr"], token["acr"]) == (["pwd", "hwk", "mfa"], "aal2")
    assert_problem(again(alice, passkey=response), 401, "invalid_credentials")
    assert reauthentications(connection) == [
        ("reauthenticated", "hwk mfa"),
        ("reauthentication_refused", "challenge_used"),
    ]


def test_a_passkey_of_another_account_is_refused(
    alice: Person, bob: Person, connection: Connection
) -> None:
    give_passkey(alice.logged_in())
    response = assertion(bob, give_passkey(bob))
    assert_problem(again(alice, passkey=response), 401, "invalid_credentials")
    assert reauthentications(connection) == [("reauthentication_refused", "passkey_refused")]
    assert sessions(connection)[0].amr == "pwd"


def test_a_code_counts_once(alice: Person) -> None:
    app = give_totp(alice.logged_in())
    code = app.now()
    assert again(alice, code=code).status_code == 200
    assert_problem(again(alice, code=code), 401, "invalid_credentials")


def test_with_a_second_factor_the_password_alone_is_not_enough(
    alice: Person, connection: Connection
) -> None:
    give_totp(alice.logged_in())
    give_recovery_codes(alice)
    before = sessions(connection)
    for _ in range(12):  # more than an account's failures: it counts none
        answer = by_password(alice)
        assert_problem(answer, 401, "second_factor_required")
        assert answer.json["methods"] == ["totp"]
    assert sessions(connection) == before
    assert reauthentications(connection) == []


def test_after_the_last_factor_is_removed_the_password_is_enough(alice: Person) -> None:
    give_totp(alice.logged_in())
    take_totp(alice)
    assert by_password(alice).status_code == 200


def test_a_code_of_an_account_without_a_second_factor_is_wrong(
    alice: Person, connection: Connection
) -> None:
    app = give_totp(alice.logged_in())
    take_totp(alice)
    assert_problem(again(alice, code=app.now()), 401, "invalid_credentials")
    assert sessions(connection)[0].amr == "pwd"


@pytest.mark.once
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"recovery_code": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"},
        {"password": "a horse that is correct", "code": "123456"},
        {"password": None, "code": None},
    ],
)
def test_exactly_one_of_password_code_and_passkey_is_taken(
    alice: Person, given: dict[str, str]
) -> None:
    assert pointers(again(alice.logged_in(), **given)) == [""]


def test_a_recovery_code_is_not_taken_as_a_code(alice: Person) -> None:
    give_totp(alice.logged_in())
    recovery_code, *_ = give_recovery_codes(alice)
    assert_problem(again(alice, code=recovery_code), 401, "invalid_credentials")


@pytest.mark.parametrize(
    ("given", "detail"), [({"password": WRONG}, "wrong_password"), ({"code": "1"}, "wrong_code")]
)
def test_a_refusal_changes_nothing_and_names_the_session_and_the_reason(
    alice: Person, connection: Connection, given: dict[str, str], detail: str
) -> None:
    give_totp(alice.logged_in())
    before = sessions(connection)
    for _ in range(2):
        answer = again(alice, **given)
        assert_problem(answer, 401, "invalid_credentials")
        assert "WWW-Authenticate" not in answer.headers
    assert sessions(connection) == before
    assert reauthentications(connection) == [("reauthentication_refused", detail)] * 2
    opened, *refused = events(connection)[-3:]
    assert {(row.session, row.user_id) for row in refused} == {(opened.session, opened.user_id)}
    assert alice.refresh().status_code == 200


def test_a_reauthentication_is_recorded_with_what_was_given(
    alice: Person, connection: Connection
) -> None:
    app = give_totp(alice.logged_in())
    again(alice, code=app.now())
    take_totp(alice)
    by_password(alice)
    assert reauthentications(connection) == [
        ("reauthenticated", "otp mfa"),
        ("reauthenticated", "pwd"),
    ]


def test_a_session_from_before_the_migration_is_reauthenticated(
    alice: Person, clock: time_machine.Traveller, connection: Connection
) -> None:
    alice.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET authenticated_at = NULL"))
    clock.shift(HOUR)
    alice.refresh()
    assert claims(alice.access_token)["auth_time"] == int(NOON.timestamp())
    assert by_password(alice).status_code == 200
    assert sessions(connection)[0].authenticated_at == NOON + HOUR


def test_another_persons_password_is_wrong(alice: Person, bob: Person) -> None:
    answer = again(alice.logged_in(), password=bob.password)
    assert_problem(answer, 401, "invalid_credentials")


def test_another_persons_code_is_wrong(alice: Person, bob: Person) -> None:
    give_totp(alice.logged_in())
    his = give_totp(bob)
    assert_problem(again(alice, code=his.now()), 401, "invalid_credentials")


def test_a_code_is_not_used_up_if_the_operators_claims_fail(
    alice: Person, make_app: MakeApp
) -> None:
    works = [True]

    def own_claims(user_id: object) -> dict[str, object]:
        if not works[0]:
            raise RuntimeError("the directory is away")
        return {"tenant": "acme"}

    alice.app = make_app(own_claims)
    app = give_totp(alice.logged_in())
    works[0] = False
    assert again(alice, code=app.now()).status_code >= 500
    works[0] = True
    assert again(alice, code=app.now()).status_code == 200
    assert claims(alice.access_token)["tenant"] == "acme"
