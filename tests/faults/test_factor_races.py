"""Eight clients on four workers with one code, one recovery code, one challenge: one succeeds."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from authsvc.database import schema
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.sessions.model import RefreshToken
from tests.faults.conftest import Rounds
from tests.faults.visitor import PASSWORD, Answer
from tests.faults.with_factors import (
    CLIENTS,
    ISSUER,
    WORKERS,
    Resident,
    Town,
    at_once,
    close,
    one_wins,
    settings_of,
    town,
)
from tests.support.recovery import NEW, link_of
from tests.support.responses import claims
from tests.support.running_service import new_database, serving
from tests.support.software_authenticator import SoftwareAuthenticator


@pytest.fixture(scope="module")
def people(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """The people of one service with four workers, which the tests of this file share."""
    folder = tmp_path_factory.mktemp("races")
    if database == "sqlite":
        url = new_database(folder)
    else:
        url = request.getfixturevalue("own_cluster").address.create_database("factor_races")
        schema.upgrade(url)
    output, settings = folder / "output", settings_of(folder)
    with serving(url, output, workers=WORKERS, app="tests.faults.probe:app", **settings) as service:
        lived_in = town(url, service.port, folder)
        yield lived_in
        close(lived_in.app)
    assert "Traceback" not in output.read_text()


def logins(alice: Resident, **factor: Any) -> list[Any]:
    return at_once(*[lambda: alice.visitor.log_in(**factor)] * CLIENTS)


def test_of_eight_logins_with_one_code_one_opens_a_session(people: Town, rounds: Rounds) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        code = alice.with_totp().now()
        one_wins(logins(alice, code=code), "invalid_credentials")
        assert alice.rows(RefreshToken) == 1


def test_of_eight_logins_with_one_recovery_code_one_opens_a_session(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        alice.with_totp()
        code, *_others = alice.with_codes()
        one_wins(logins(alice, recovery_code=code), "invalid_credentials")
        assert alice.rows(RefreshToken) == 1
        assert alice.rows(RecoveryCode, RecoveryCode.used_at.is_(None)) == 9


@pytest.mark.parametrize("counts", [True, False], ids=["with a sign count", "without"])
def test_of_eight_logins_with_one_response_of_a_passkey_one_opens_a_session(
    people: Town, rounds: Rounds, counts: bool
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        passkey = alice.with_passkey(sign_count=0 if counts else None)
        body = {"credential": alice.assertion(passkey)}
        login = partial(alice.visitor.call, "POST", "/auth/passkey", body)
        one_wins(at_once(*[login] * CLIENTS), "invalid_credentials")
        assert alice.rows(RefreshToken) == 1
        assert alice.refusals() == ["challenge_used"] * (CLIENTS - 1)


def test_one_response_of_a_passkey_is_accepted_for_one_purpose(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        passkey = alice.with_passkey()
        alice.visitor.logged_in_with(passkey=alice.assertion(passkey))
        credential = alice.assertion(passkey)
        call = alice.visitor.call
        body = {"email": alice.visitor.email, "password": PASSWORD, "passkey": credential}
        doors = (
            partial(call, "POST", "/auth/passkey", {"credential": credential}),
            partial(call, "POST", "/auth/login", body),
            partial(call, "POST", "/auth/reauthenticate", {"passkey": credential}),
        )
        answers = at_once(*doors, *doors)
        # A login revokes the session of the cookie that it sent, and so refuses a reauthentication.
        one_wins(answers, "invalid_credentials", "refresh_token_revoked")


def test_of_eight_reauthentications_with_one_code_one_succeeds(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        alice.visitor.logged_in()
        body = {"code": alice.with_totp().now()}
        ask = partial(alice.visitor.call, "POST", "/auth/reauthenticate", body)
        winner = one_wins(at_once(*[ask] * CLIENTS), "invalid_credentials")
        assert claims(winner.body["access_token"])["amr"] == ["pwd", "otp", "mfa"]


def test_a_code_is_good_for_one_login_or_one_reauthentication(people: Town, rounds: Rounds) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        alice.visitor.logged_in()
        other = replace(alice.visitor, refresh_token="")
        code = alice.with_totp().now()
        again = partial(alice.visitor.call, "POST", "/auth/reauthenticate", {"code": code})
        login = partial(other.log_in, code=code)
        one_wins(at_once(*[again, login] * 4), "invalid_credentials")


def test_of_eight_confirmations_with_one_code_one_gets_the_recovery_codes_that_count(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        alice.visitor.logged_in()
        body = {"code": alice.scanned().code()}
        confirm = partial(alice.visitor.call, "PUT", "/api/me/totp", body)
        winner = one_wins(at_once(*[confirm] * CLIENTS), "factor_exists")
        assert alice.rows(RecoveryCode) == 10
        code, *_others = winner.body["recovery_codes"]
        assert alice.visitor.log_in(recovery_code=code).status == 200


def test_of_recovery_codes_that_are_replaced_at_once_one_set_counts(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(1, 10):
        alice = people.person()
        alice.visitor.logged_in_with(code=alice.with_totp().now())
        replace_codes = partial(alice.visitor.call, "POST", "/api/me/recovery-codes", {})
        sets = [answer.body["recovery_codes"] for answer in at_once(*[replace_codes] * 4)]
        assert alice.rows(RecoveryCode) == 10
        logins = [alice.visitor.log_in(recovery_code=code).status for code, *_others in sets]
        assert sorted(logins) == [200, 401, 401, 401]


def test_of_eight_registrations_with_one_response_one_adds_a_passkey(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        alice.visitor.logged_in()
        passkey = SoftwareAuthenticator(ISSUER)
        add = partial(alice.visitor.call, "POST", "/api/me/passkeys", alice.new_credential(passkey))
        one_wins(at_once(*[add] * CLIENTS), "credential_refused")
        assert alice.rows(Passkey) == 1
        body = {"credential": alice.assertion(passkey)}
        assert alice.visitor.call("POST", "/auth/passkey", body).status == 200


def test_one_passkey_is_added_to_one_account(people: Town, rounds: Rounds) -> None:
    for _ in rounds(2, 20):
        alice, bob = people.person(), people.person()
        passkey = SoftwareAuthenticator(ISSUER)
        adds = []
        for person in (alice, bob, alice, bob):
            if not person.visitor.access_token:
                person.visitor.logged_in()
            body = person.new_credential(passkey)
            adds.append(partial(person.visitor.call, "POST", "/api/me/passkeys", body))
        one_wins(at_once(*adds), "credential_refused")
        assert alice.rows(Passkey) + bob.rows(Passkey) == 1


def test_when_both_factors_are_removed_at_once_the_recovery_codes_go(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        app = alice.with_totp()
        alice.with_passkey()
        alice.with_codes()
        call = alice.visitor.logged_in_with(code=app.now()).call
        (passkey,) = call("GET", "/api/me/factors").body["passkeys"]
        removed = at_once(
            partial(call, "DELETE", "/api/me/totp"),
            partial(call, "DELETE", f"/api/me/passkeys/{passkey['id']}"),
        )
        assert [answer.status for answer in removed] == [204, 204]
        assert alice.rows(RecoveryCode) == 0
        assert alice.visitor.log_in().status == 200


GUESSES = 30


def test_at_most_ten_guesses_of_a_code_that_come_at_once_are_verified(people: Town) -> None:
    alice = people.person()
    right = alice.with_totp().now()
    wrong = f"{(int(right) + 1) % 10**6:06}"
    answers = at_once(*[partial(alice.visitor.log_in, code=wrong)] * GUESSES)
    assert {(answer.status, answer.code) for answer in answers} == {
        (401, "invalid_credentials"),
        (429, "rate_limited"),
    }
    assert alice.refusals() == ["wrong_code"] * 10
    assert alice.visitor.log_in(code=right).code == "rate_limited"


def test_at_most_ten_guesses_within_a_session_that_come_at_once_are_verified(people: Town) -> None:
    alice = people.person()
    alice.visitor.logged_in()
    right = alice.with_totp().now()
    body = {"code": f"{(int(right) + 1) % 10**6:06}"}
    guess = partial(alice.visitor.call, "POST", "/auth/reauthenticate", body)
    answers = at_once(*[guess] * GUESSES)
    assert {answer.code for answer in answers} == {"invalid_credentials", "rate_limited"}
    assert alice.refusals("reauthentication_refused") == ["wrong_code"] * 10
    again = alice.visitor.call("POST", "/auth/reauthenticate", {"code": right})
    assert again.code == "rate_limited"


def test_once_a_second_factor_is_in_force_no_password_alone_opens_a_session(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        in_force: list[float] = []

        def enrol(alice: Resident = alice, in_force: list[float] = in_force) -> list[Answer]:
            alice.with_totp()
            in_force.append(time.monotonic())
            return []

        def log_in(alice: Resident = alice) -> list[Answer]:
            return [alice.visitor.log_in() for _ in range(3)]

        answers = [answer for answers in at_once(enrol, *[log_in] * 6) for answer in answers]
        for answer in answers:
            assert answer.code in ("", "second_factor_required"), answer
            if answer.began >= in_force[0]:
                assert answer.code == "second_factor_required"
        assert alice.visitor.log_in().code == "second_factor_required"


def test_a_reset_by_mail_during_logins_keeps_the_second_factor(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(1, 10):
        alice = people.person()
        code = alice.with_totp().now()
        body = {"token": link_of(alice.there, "reset"), "new_password": NEW}
        reset = partial(alice.visitor.patient, "POST", "/auth/password/reset", body)
        done, *others = at_once(
            reset,
            *[alice.visitor.log_in] * 3,
            *[partial(alice.visitor.log_in, code=code)] * 3,
        )
        assert done.status == 204
        codes = {"", "second_factor_required", "invalid_credentials"}
        assert {answer.code for answer in others} <= codes
        assert len([answer for answer in others if answer.status == 200]) <= 1
        credentials = {"email": alice.visitor.email, "password": NEW}
        again = alice.visitor.patient("POST", "/auth/login", credentials)
        assert again.code == "second_factor_required"
        assert alice.rows(RefreshToken, RefreshToken.revoked_at.is_(None)) == 0


def test_an_account_that_is_deleted_during_logins_leaves_no_factor_and_no_session(
    people: Town, rounds: Rounds
) -> None:
    for _ in rounds(2, 20):
        alice = people.person()
        app, passkey = alice.with_totp(), alice.with_passkey()
        recovery_code, *_others = alice.with_codes()
        alice.visitor.logged_in_with(code=app.now())
        other = replace(alice.visitor, refresh_token="")
        user_id = alice.id
        credential = {"credential": alice.assertion(passkey)}
        delete = partial(alice.visitor.call, "DELETE", "/api/me", {"password": PASSWORD})
        done, *logins = at_once(
            delete,
            partial(other.call, "POST", "/auth/passkey", credential),
            *[partial(other.log_in, recovery_code=recovery_code)] * 3,
        )
        assert done.status == 204
        assert {answer.code for answer in logins} <= {"", "invalid_credentials"}
        for answer in logins:
            other.refresh_token = answer.cookie or ""
            assert answer.status != 200 or other.refresh().code.startswith("refresh_token_")
        assert people.rows_of(user_id) == {Totp: 0, RecoveryCode: 0, Passkey: 0, RefreshToken: 0}
