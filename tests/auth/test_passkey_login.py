"""POST /auth/passkey/options and POST /auth/passkey."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, select, text

from authsvc.database import writing
from authsvc.factors.model import Passkey
from authsvc.users import accounts
from tests.conftest import MakeApp
from tests.support.dpop import Prover
from tests.support.operator_commands import Operator
from tests.support.passkeys import (
    add_passkey,
    assertion,
    log_in_by_passkey,
    request_options,
    send,
)
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    counted_statements,
    events,
    live_sessions,
    sessions,
)
from tests.support.software_authenticator import BE, BS, UP, UV, SoftwareAuthenticator, unb64

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def authenticator(alice: Person) -> SoftwareAuthenticator:
    """The authenticator with Alice's passkey; she has no session."""
    authenticator = add_passkey(alice.logged_in())
    alice.log_out()
    alice.access_token = alice.refresh_token = ""
    return authenticator


def disable(person: Person) -> None:
    with person.app.app_context():
        account = accounts.find_by_email(person.email)
        assert account is not None
        with writing() as connection:
            accounts.set_disabled(connection, account.id, NOON)


def test_the_options_are_those_of_the_contract(alice: Person) -> None:
    options = request_options(alice)
    assert len(unb64(options.pop("challenge"))) == 40
    assert options == {"timeout": 300_000, "rpId": "localhost", "userVerification": "required"}


def test_asking_for_options_executes_no_statement(alice: Person) -> None:
    with counted_statements(alice.app) as statements:
        request_options(alice)
    assert statements == []


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("flags", "amr"), [(UP | UV, ["hwk", "mfa"]), (UP | UV | BE | BS, ["swk", "mfa"])]
)
def test_a_passkey_opens_a_session_of_two_factors(
    alice: Person, connection: Connection, flags: int, amr: list[str]
) -> None:
    authenticator = SoftwareAuthenticator(flags=flags)
    add_passkey(alice.logged_in(), authenticator)
    phone = alice.on_another_device()
    answer = log_in_by_passkey(phone, authenticator)
    assert answer.status_code == 200
    token = answer.json["access_token"]
    assert answer.json == {"access_token": token, "token_type": "Bearer", "expires_in": 600}
    assert answer.headers.getlist("Set-Cookie") == [
        f"__Host-refresh_token={phone.refresh_token}; Path=/; Secure; HttpOnly; "
        "SameSite=Strict; Max-Age=604800"
    ]
    assert (claims(token)["amr"], claims(token)["acr"]) == (amr, "aal2")
    assert claims(token)["auth_time"] == NOON.timestamp()
    assert claims(token)["sub"] == claims(alice.access_token)["sub"]
    row = sessions(connection)[-1]
    assert (row.amr, row.authenticated_at) == (" ".join(amr), NOON)
    assert phone.refresh().status_code == 200
    assert claims(phone.access_token)["amr"] == amr


def test_a_backup_state_may_change_and_the_eligibility_decides(alice: Person) -> None:
    authenticator = SoftwareAuthenticator(flags=UP | UV | BE)
    add_passkey(alice.logged_in(), authenticator)
    authenticator.flags |= BS
    assert log_in_by_passkey(alice, authenticator).status_code == 200
    assert claims(alice.access_token)["amr"] == ["swk", "mfa"]


@time_machine.travel(NOON, tick=False)
def test_a_login_updates_the_passkey(alice: Person, connection: Connection) -> None:
    authenticator = SoftwareAuthenticator(sign_count=7)
    add_passkey(alice.logged_in(), authenticator)
    assert log_in_by_passkey(alice, authenticator).status_code == 200
    row = connection.execute(select(Passkey.__table__)).one()
    assert (row.sign_count, row.last_used_at) == (8, NOON)


def test_a_login_is_in_the_audit_trail_with_its_methods(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    log_in_by_passkey(alice, authenticator)
    last = events(connection)[-1]
    assert (last.event, last.detail, last.actor) == ("logged_in", "hwk mfa", "user")
    assert str(last.user_id) == claims(alice.access_token)["sub"]


def test_a_login_replaces_the_session_whose_cookie_it_overwrites(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    log_in_by_passkey(alice, authenticator)
    log_in_by_passkey(alice, authenticator)
    assert live_sessions(connection) == 1
    log_in_by_passkey(alice.on_another_device(), authenticator)
    assert live_sessions(connection) == 2


def test_with_a_proof_the_session_is_bound(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    prover = Prover()
    answer = send(alice, assertion(alice, authenticator), DPoP=prover.proof("/auth/passkey"))
    assert (answer.status_code, answer.json["token_type"]) == (200, "Bearer")
    assert sessions(connection)[-1].key_thumbprint == prover.thumbprint
    assert_problem(alice.refresh(), 401, "dpop_proof_missing")
    assert alice.refresh(DPoP=prover.proof("/auth/refresh")).status_code == 200


def test_a_wrong_proof_opens_nothing_and_leaves_the_challenge_unused(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = assertion(alice, authenticator)
    answer = send(alice, credential, DPoP=Prover().proof("/auth/login"))
    assert_problem(answer, 400, "invalid_request")
    assert live_sessions(connection) == 0
    assert send(alice, credential).status_code == 200


def test_each_refusal_looks_alike(
    alice: Person, bob: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    of_bob = add_passkey(bob.logged_in())
    disable(bob)
    answers = [
        log_in_by_passkey(alice, SoftwareAuthenticator()),
        log_in_by_passkey(alice, authenticator, flags=0),
        log_in_by_passkey(alice, authenticator, user_handle=of_bob.user_handle),
        log_in_by_passkey(alice, of_bob),
    ]
    for answer in answers:
        assert_problem(answer, 401, "invalid_credentials")
        assert answer.data == answers[0].data
        assert "Set-Cookie" not in answer.headers
        assert list(answer.headers.keys()) == list(answers[0].headers.keys())


def test_a_disabled_account_is_refused_until_it_is_enabled(
    alice: Person, authenticator: SoftwareAuthenticator, operator: Operator, connection: Connection
) -> None:
    operator.run("users", "disable", alice.email)
    credential = assertion(alice, authenticator)
    assert_problem(send(alice, credential), 401, "invalid_credentials")
    assert live_sessions(connection) == 0
    last = events(connection)[-1]
    assert (last.event, last.detail) == ("login_refused", "account_disabled")
    operator.run("users", "enable", alice.email)
    assert send(alice, credential).status_code == 200


def test_a_passkey_that_was_deleted_is_refused(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = assertion(alice, authenticator)
    with alice.app.app_context(), writing() as write:
        write.execute(text("DELETE FROM passkeys"))
    assert_problem(send(alice, credential), 401, "invalid_credentials")
    last = events(connection)[-1]
    assert (last.event, last.user_id, last.detail) == ("login_refused", None, None)


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"flags": UP}, "passkey_refused"),
        ({"origin": "https://evil.example"}, "passkey_refused"),
        ({"sign_count": 3}, "sign_count_went_back"),
    ],
    ids=["no person verified", "another origin", "sign count"],
)
def test_a_refusal_is_in_the_audit_trail_with_its_reason(
    alice: Person, connection: Connection, faults: dict[str, object], why: str
) -> None:
    """V6: a sign count that goes back is refused and recorded."""
    authenticator = SoftwareAuthenticator(sign_count=3)
    add_passkey(alice.logged_in(), authenticator)
    me = UUID(str(claims(alice.access_token)["sub"]))
    log_in_by_passkey(alice.on_another_device(), authenticator, **faults)
    last = events(connection)[-1]
    assert (last.event, last.user_id, last.detail) == ("login_refused", me, why)


def test_a_response_that_was_used_is_in_the_audit_trail(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = assertion(alice, authenticator)
    assert [send(alice, credential).status_code for _ in range(2)] == [200, 401]
    assert (events(connection)[-1].event, events(connection)[-1].detail) == (
        "login_refused",
        "challenge_used",
    )


def test_ten_refused_responses_count_as_failed_logins_and_leave_the_passkey_to_its_owner(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    """V3: a passkey cannot be guessed, so failures of the account do not keep its owner out."""
    with time_machine.travel(NOON, tick=False):
        for number in range(10):
            stranger = {"REMOTE_ADDR": f"192.0.2.{number}"}
            body = {"credential": assertion(alice, authenticator, flags=UP)}
            answer = alice.call("POST", "/auth/passkey", json=body, environ_base=stranger)
            assert_problem(answer, 401, "invalid_credentials")
        assert_problem(alice.log_in(), 429, "rate_limited")
        assert log_in_by_passkey(alice, authenticator).status_code == 200


def test_wrong_passwords_of_a_stranger_do_not_keep_the_owner_of_a_passkey_out(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    stranger = Person(alice.app, alice.email, "not the password at all")
    with time_machine.travel(NOON, tick=False):
        for _ in range(10):
            assert_problem(stranger.log_in(), 401, "invalid_credentials")
        assert_problem(alice.on_another_device().log_in(), 429, "rate_limited")
        assert log_in_by_passkey(alice, authenticator).status_code == 200


def test_unknown_passkeys_count_for_their_network_alone(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    with time_machine.travel(NOON, tick=False):
        body = {"credential": assertion(alice, SoftwareAuthenticator())}
        for _ in range(100):
            answer = alice.call("POST", "/auth/passkey", json=body, environ_base=stranger)
            assert_problem(answer, 401, "invalid_credentials")
        answer = alice.call("POST", "/auth/passkey", json=body, environ_base=stranger)
        assert_problem(answer, 429, "rate_limited")
        assert log_in_by_passkey(alice, authenticator).status_code == 200


def test_a_login_clears_the_accounts_failures(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            for _ in range(9):
                log_in_by_passkey(alice, authenticator, flags=UP)
            assert log_in_by_passkey(alice, authenticator).status_code == 200


def test_where_addresses_must_be_verified_an_unverified_account_is_refused(
    required_app: Flask,
    mail_operator: Operator,
    alice: Person,
    authenticator: SoftwareAuthenticator,
    connection: Connection,
) -> None:
    alice.app = required_app
    credential = assertion(alice, authenticator)
    assert_problem(send(alice, credential), 403, "email_unverified")
    assert (events(connection)[-1].event, events(connection)[-1].detail) == (
        "login_refused",
        "email_unverified",
    )
    assert live_sessions(connection) == 0
    assert_problem(log_in_by_passkey(alice, authenticator, flags=UP), 401, "invalid_credentials")
    mail_operator.run("users", "verify", alice.email)
    assert send(alice, credential).status_code == 200


def test_a_page_of_another_origin_is_refused_before_anything_is_counted(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    """X1."""
    answer = send(alice, assertion(alice, authenticator), Origin="https://evil.example")
    assert_problem(answer, 403, "cross_origin_refused")


def test_a_password_change_keeps_passkeys(
    alice: Person, authenticator: SoftwareAuthenticator
) -> None:
    log_in_by_passkey(alice, authenticator)
    body = {"current_password": alice.password, "new_password": "a lamp that is not lit"}
    assert alice.call("PUT", "/api/me/password", json=body).status_code == 200
    assert log_in_by_passkey(alice.on_another_device(), authenticator).status_code == 200


def test_an_operator_whose_roles_need_two_factors_has_them_by_passkey(
    make_app: MakeApp, alice: Person, operator: Operator, authenticator: SoftwareAuthenticator
) -> None:
    operator.run("users", "grant", alice.email, "admin")
    alice.app = make_app(aal2_roles=("admin",))
    assert log_in_by_passkey(alice, authenticator).status_code == 200
    assert claims(alice.access_token)["roles"] == ["admin"]
