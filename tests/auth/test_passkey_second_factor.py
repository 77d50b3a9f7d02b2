"""A passkey as the second factor beside a password, and at a reauthentication."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from tests.support.dpop import Prover
from tests.support.passkeys import (
    add_passkey,
    assertion,
    log_in_by_passkey,
    send,
    stored,
)
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, live_sessions, sessions
from tests.support.software_authenticator import BE, UP, UV, SoftwareAuthenticator

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
"""Later than what happens before the clock is moved."""


@pytest.fixture
def authenticator(alice: Person) -> SoftwareAuthenticator:
    """The authenticator with Alice's passkey; she has no session."""
    authenticator = add_passkey(alice.logged_in())
    alice.log_out()
    alice.access_token = alice.refresh_token = ""
    return authenticator


def log_in(person: Person, passkey: dict[str, Any], **headers: str) -> TestResponse:
    """Log in with the password and a response of a passkey."""
    body = {**person.credentials, "passkey": passkey}
    return person.call("POST", "/auth/login", json=body, headers=dict(headers))


def reauthenticate(person: Person, **given: Any) -> TestResponse:
    return person.call("POST", "/auth/reauthenticate", json=given)


def test_the_right_password_alone_opens_nothing_and_names_the_passkey(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    """V1."""
    answer = alice.log_in()
    assert_problem(answer, 401, "second_factor_required")
    assert answer.json["methods"] == ["passkey"]
    assert live_sessions(connection) == 0


@pytest.mark.parametrize(
    ("flags", "amr"), [(UP | UV, ["pwd", "hwk", "mfa"]), (UP | UV | BE, ["pwd", "swk", "mfa"])]
)
def test_password_and_passkey_open_a_session_with_the_methods_of_both(
    alice: Person, connection: Connection, flags: int, amr: list[str]
) -> None:
    authenticator = add_passkey(alice.logged_in(), SoftwareAuthenticator(flags=flags))
    phone = alice.on_another_device()
    assert log_in(phone, assertion(phone, authenticator)).status_code == 200
    token = claims(phone.access_token)
    assert (token["amr"], token["acr"]) == (amr, "aal2")
    assert (events(connection)[-1].event, events(connection)[-1].detail) == (
        "logged_in",
        " ".join(amr),
    )


def test_a_wrong_password_uses_no_challenge(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    credential = assertion(alice, authenticator)
    wrong = Person(alice.app, alice.email, "a horse that is wrong")
    assert_problem(log_in(wrong, credential), 401, "invalid_credentials")
    assert log_in(alice, credential).status_code == 200


def test_a_response_counts_once_whether_by_itself_or_beside_the_password(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    """V2."""
    first, second = assertion(alice, authenticator), assertion(alice, authenticator)
    assert [send(alice, first).status_code, log_in(alice, first).status_code] == [200, 401]
    assert [log_in(alice, second).status_code, send(alice, second).status_code] == [200, 401]


def test_the_passkey_of_another_account_is_refused_and_stays_good_for_its_owner(
    alice: Person, bob: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    of_bob = add_passkey(bob.logged_in())
    credential = assertion(bob, of_bob)
    before = stored(connection)
    assert_problem(log_in(alice, credential), 401, "invalid_credentials")
    assert stored(connection) == before
    assert log_in(bob, credential).status_code == 200


def test_a_passkey_beside_the_password_of_an_account_without_one_is_ignored(
    alice: Person, bob: Person, authenticator: SoftwareAuthenticator
) -> None:
    credential = assertion(alice, authenticator)
    assert log_in(bob, credential).status_code == 200
    assert claims(bob.access_token)["amr"] == ["pwd"]
    assert log_in(alice, credential).status_code == 200


def test_a_refused_passkey_counts_and_is_in_the_audit_trail(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    """V3."""
    with time_machine.travel(NOON, tick=False):
        for _ in range(10):
            answer = log_in(alice, assertion(alice, authenticator, flags=UP))
            assert_problem(answer, 401, "invalid_credentials")
        last = events(connection)[-1]
        assert (last.event, last.detail) == ("login_refused", "passkey_refused")
        assert_problem(log_in(alice, assertion(alice, authenticator)), 429, "rate_limited")


def test_a_sign_count_that_went_back_is_refused_beside_the_password_too(
    alice: Person, connection: Connection
) -> None:
    """V6."""
    authenticator = add_passkey(alice.logged_in(), SoftwareAuthenticator(sign_count=9))
    answer = log_in(alice.on_another_device(), assertion(alice, authenticator, sign_count=9))
    assert_problem(answer, 401, "invalid_credentials")
    assert events(connection)[-1].detail == "sign_count_went_back"


def test_with_a_proof_the_session_of_password_and_passkey_is_bound(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    prover = Prover()
    proof = prover.proof("/auth/login")
    assert log_in(alice, assertion(alice, authenticator), DPoP=proof).status_code == 200
    assert sessions(connection)[-1].key_thumbprint == prover.thumbprint


@pytest.mark.parametrize("second", [{"code": "123456"}, {"recovery_code": "A" * 25}])
def test_two_second_factors_at_once_are_invalid(
    alice: Person, authenticator: SoftwareAuthenticator, second: dict[str, str]
) -> None:
    body = {**alice.credentials, "passkey": assertion(alice, authenticator), **second}
    assert_problem(alice.call("POST", "/auth/login", json=body), 422, "validation_failed")


def test_a_passkey_reauthenticates_the_session(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        log_in_by_passkey(alice, authenticator)
        cookie, row = alice.refresh_token, sessions(connection)[-1]
        clock.shift(3600)
        alice.refresh()
        answer = reauthenticate(alice, passkey=assertion(alice, authenticator))
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        token = claims(alice.access_token)
        assert (token["auth_time"], token["amr"]) == (NOON.timestamp() + 3600, ["hwk", "mfa"])
        again = sessions(connection)[-1]
        assert (again.id, again.expires_at) == (row.id, row.expires_at)
        assert alice.refresh_token == cookie
        last = events(connection)[-1]
        assert (last.event, last.detail) == ("reauthenticated", "hwk mfa")


def test_a_session_of_a_password_alone_reaches_two_factors_by_a_passkey(alice: Person) -> None:
    tablet = alice.on_another_device().logged_in()
    authenticator = add_passkey(alice.logged_in())
    answer = reauthenticate(tablet, passkey=assertion(tablet, authenticator))
    assert answer.status_code == 200
    token = claims(tablet.access_token)
    assert (token["amr"], token["acr"]) == (["pwd", "hwk", "mfa"], "aal2")


def test_the_password_alone_does_not_reauthenticate_an_account_with_a_passkey(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    log_in_by_passkey(alice, authenticator)
    answer = reauthenticate(alice, password=alice.password)
    assert_problem(answer, 401, "second_factor_required")
    assert answer.json["methods"] == ["passkey"]


@pytest.mark.parametrize("fault", ["flags", "used", "another person", "unknown", "sign count"])
def test_a_refused_passkey_reauthenticates_nothing(
    alice: Person, bob: Person, connection: Connection, fault: str
) -> None:
    authenticator = add_passkey(alice.logged_in(), SoftwareAuthenticator(sign_count=0))
    used = assertion(alice, authenticator)
    assert reauthenticate(alice, passkey=used).status_code == 200
    credential = {
        "flags": lambda: assertion(alice, authenticator, flags=UP),
        "used": lambda: used,
        "another person": lambda: assertion(bob, add_passkey(bob.logged_in())),
        "unknown": lambda: assertion(alice, SoftwareAuthenticator()),
        "sign count": lambda: assertion(alice, authenticator, sign_count=0),
    }[fault]()
    before = stored(connection)
    assert_problem(reauthenticate(alice, passkey=credential), 401, "invalid_credentials")
    assert stored(connection) == before
    last = events(connection)[-1]
    why = {"used": "challenge_used", "sign count": "sign_count_went_back"}
    assert (last.event, last.detail) == (
        "reauthentication_refused",
        why.get(fault, "passkey_refused"),
    )
    assert last.user_id == UUID(str(claims(alice.access_token)["sub"]))


def test_refusals_at_a_reauthentication_do_not_hinder_a_login(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    with time_machine.travel(NOON, tick=False):
        log_in_by_passkey(alice, authenticator)
        for _ in range(10):
            answer = reauthenticate(alice, passkey=assertion(alice, authenticator, flags=UP))
            assert_problem(answer, 401, "invalid_credentials")
        right = assertion(alice, authenticator)
        assert_problem(reauthenticate(alice, passkey=right), 429, "rate_limited")
        assert log_in_by_passkey(alice.on_another_device(), authenticator).status_code == 200
