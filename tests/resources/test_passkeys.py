"""POST /api/me/passkeys/options, POST /api/me/passkeys and DELETE /api/me/passkeys/{id}."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, Row, insert, select, text

from authsvc.database import writing
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.factors.recovery_codes import replace_codes
from tests.conftest import MakeApp
from tests.support.dpop import b64
from tests.support.mailbox import Mailbox
from tests.support.operator_commands import Operator
from tests.support.passkeys import (
    add_passkey,
    assertion,
    creation_options,
    log_in_by_passkey,
    register,
)
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, pointers, sessions
from tests.support.software_authenticator import (
    BE,
    BS,
    UP,
    UV,
    Algorithm,
    SoftwareAuthenticator,
    unb64,
)

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
OPTIONS = "/api/me/passkeys/options"
SYNCED = UP | UV | BE | BS


def user_id(person: Person) -> UUID:
    return UUID(str(claims(person.access_token)["sub"]))


def passkeys(connection: Connection) -> list[Row]:
    """Return the rows of all passkeys, oldest first."""
    return list(connection.execute(select(Passkey.__table__).order_by(Passkey.id)))


def only_id(connection: Connection) -> UUID:
    """Return the id of the only passkey."""
    (row,) = passkeys(connection)
    return UUID(str(row.id))


def remove(person: Person, passkey_id: UUID) -> int:
    answer = person.call("DELETE", f"/api/me/passkeys/{passkey_id}")
    if answer.status_code != 204:
        assert_problem(answer, answer.status_code, answer.json["code"])
    return answer.status_code


def give_recovery_codes(person: Person) -> None:
    with person.app.app_context(), writing() as connection:
        replace_codes(connection, user_id(person))


def give_totp(person: Person) -> None:
    row = {"user_id": user_id(person), "secret": "", "last_step": 0}
    with person.app.app_context(), writing() as connection:
        connection.execute(insert(Totp), {**row, "created_at": NOON, "confirmed_at": NOON})


def recovery_codes(connection: Connection) -> int:
    return len(connection.execute(select(RecoveryCode.id)).all())


def waiting(connection: Connection) -> list[tuple[str, str, str]]:
    """Return the kinds, details and addresses of the mails in the outbox about factors."""
    query = text("SELECT kind, detail, email FROM outbox WHERE kind LIKE 'factor%' ORDER BY id")
    return [tuple(row) for row in connection.execute(query)]


def test_the_options_are_those_of_the_contract(alice: Person) -> None:
    options = creation_options(alice.logged_in())
    challenge = options.pop("challenge")
    assert len(unb64(challenge)) == 40
    assert options == {
        "rp": {"id": "localhost", "name": "localhost"},
        "user": {
            "id": b64(user_id(alice).bytes),
            "name": "alice@example.com",
            "displayName": "alice@example.com",
        },
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -257},
        ],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }
    assert creation_options(alice)["challenge"] != challenge


def test_the_options_exclude_the_accounts_own_passkeys_and_no_others(
    alice: Person, bob: Person
) -> None:
    add_passkey(bob.logged_in())
    first, second = add_passkey(alice.logged_in()), add_passkey(alice)
    assert creation_options(alice)["excludeCredentials"] == [
        {"type": "public-key", "id": first.id},
        {"type": "public-key", "id": second.id},
    ]


def test_the_options_store_nothing(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    before = events(connection), sessions(connection)
    creation_options(alice)
    assert (events(connection), sessions(connection)) == before
    assert connection.execute(text("SELECT count(*) FROM used_challenges")).scalar_one() == 0


@time_machine.travel(NOON, tick=False)
def test_a_passkey_is_added_with_its_name(alice: Person, connection: Connection) -> None:
    authenticator = SoftwareAuthenticator(sign_count=3)
    credential = authenticator.create(creation_options(alice.logged_in()))
    answer = register(alice, credential, "  Alice's phone \u2600 ")
    row = passkeys(connection)[0]
    assert answer.status_code == 201
    assert answer.json == {
        "id": str(row.id),
        "name": "Alice's phone \u2600",
        "created_at": "2026-11-24T12:00:00Z",
    }
    assert row.user_id == user_id(alice)
    assert row.credential_id == authenticator.credential_id
    assert (row.sign_count, row.synced, row.name) == (3, False, "Alice's phone \u2600")
    assert (row.created_at, row.last_used_at) == (NOON, None)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_passkey_of_each_algorithm_logs_its_owner_in(alice: Person, algorithm: Algorithm) -> None:
    authenticator = add_passkey(alice.logged_in(), SoftwareAuthenticator(algorithm=algorithm))
    assert log_in_by_passkey(alice.on_another_device(), authenticator).status_code == 200


@pytest.mark.parametrize(
    ("flags", "amr"), [(UP | UV, ["pwd", "hwk", "mfa"]), (SYNCED, ["pwd", "swk", "mfa"])]
)
def test_adding_a_passkey_raises_the_session_that_did_it_and_no_other(
    alice: Person, flags: int, amr: list[str]
) -> None:
    tablet = alice.on_another_device().logged_in()
    alice.logged_in()
    auth_time = claims(alice.access_token)["auth_time"]
    add_passkey(alice, SoftwareAuthenticator(flags=flags))
    alice.refresh()
    token = claims(alice.access_token)
    assert (token["amr"], token["acr"], token["auth_time"]) == (amr, "aal2", auth_time)
    tablet.refresh()
    assert (claims(tablet.access_token)["amr"], claims(tablet.access_token)["acr"]) == (
        ["pwd"],
        "aal1",
    )


def test_a_key_that_may_be_backed_up_counts_as_synced_before_it_is(
    alice: Person, connection: Connection
) -> None:
    add_passkey(alice.logged_in(), SoftwareAuthenticator(flags=UP | UV | BE))
    (row,) = passkeys(connection)
    assert row.synced


def test_adding_and_removing_are_in_the_audit_trail(alice: Person, connection: Connection) -> None:
    add_passkey(alice.logged_in())
    assert remove(alice, only_id(connection)) == 204
    last = [(one.event, one.detail, one.user_id, one.actor) for one in events(connection)[-2:]]
    assert last == [
        ("factor_added", "passkey", user_id(alice), "user"),
        ("factor_removed", "passkey", user_id(alice), "user"),
    ]
    assert all(one.session is not None for one in events(connection)[-2:])


def test_the_owner_gets_a_mail_of_each(
    mail_app: Flask, mailbox: Mailbox, mail_operator: Operator, alice: Person
) -> None:
    alice.app = mail_app
    mail_operator.run("users", "verify", alice.email)
    add_passkey(alice.logged_in())
    with mail_app.app_context(), writing() as connection:
        assert waiting(connection) == [
            ("factor_added", '{"factor": "passkey"}', "alice@example.com")
        ]
        passkey_id = only_id(connection)
    assert mailbox.only()["To"] == "alice@example.com"
    assert remove(alice, passkey_id) == 204
    with mail_app.app_context(), writing() as connection:
        assert waiting(connection) == [
            ("factor_removed", '{"factor": "passkey"}', "alice@example.com")
        ]
    assert mailbox.only()["To"] == "alice@example.com"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "too_short"),
        (" \u00a0\u3000", "too_short"),
        ("n" * 65, "too_long"),
        ("a\0b", "invalid_characters"),
        ("a\nb", "invalid_characters"),
        ("a\u001bb", "invalid_characters"),
        ("a\u0085b", "invalid_characters"),
        ("a\u2028b", "invalid_characters"),
        ("a\ud800b", "invalid_characters"),
        (7, "wrong_type"),
        (None, "wrong_type"),
    ],
    ids=[
        *("empty", "spaces", "65 characters", "NUL", "line end", "escape"),
        *("C1 control", "line separator", "half a character", "number", "null"),
    ],
)
def test_a_name_that_cannot_be_shown_is_invalid(
    alice: Person, connection: Connection, name: object, code: str
) -> None:
    credential = SoftwareAuthenticator().create(creation_options(alice.logged_in()))
    body = {"name": name, "credential": credential}
    answer = alice.call("POST", "/api/me/passkeys", json=body)
    assert pointers(answer) == ["/name"]
    assert answer.json["errors"][0]["code"] == code
    assert passkeys(connection) == []


@pytest.mark.parametrize(
    "name", ["n" * 64, "  " + "n" * 64 + "  ", "\U0001f511" * 64, "\u3000\u96fb\u8a71\u00a0"]
)
def test_a_name_of_64_characters_is_kept(alice: Person, name: str) -> None:
    credential = SoftwareAuthenticator().create(creation_options(alice.logged_in()))
    assert register(alice, credential, name).json["name"] == name.strip()


def test_ten_minutes_after_the_login_each_route_takes_a_new_authentication(
    alice: Person, connection: Connection
) -> None:
    """V4."""
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        clock.shift(595)
        credential = SoftwareAuthenticator().create(creation_options(alice))
        clock.shift(10)
        alice.refresh()
        one = f"/api/me/passkeys/{only_id(connection)}"
        for answer in (
            alice.call("POST", OPTIONS, json={}),
            register(alice, credential),
            alice.call("DELETE", one),
        ):
            assert_problem(answer, 401, "reauthentication_required")
            assert 'max_age="600"' in answer.headers["WWW-Authenticate"]
        assert len(passkeys(connection)) == 1
        again = {"passkey": assertion(alice, authenticator)}
        assert alice.call("POST", "/auth/reauthenticate", json=again).status_code == 200
        assert creation_options(alice)
        assert register(alice, credential).status_code == 201
        assert alice.call("DELETE", one).status_code == 204


def test_a_session_without_a_second_factor_changes_none_once_there_is_one(
    alice: Person, connection: Connection
) -> None:
    """V4."""
    tablet = alice.on_another_device().logged_in()
    credential = SoftwareAuthenticator().create(creation_options(tablet))
    add_passkey(alice.logged_in())
    for answer in (
        tablet.call("POST", OPTIONS, json={}),
        register(tablet, credential),
        tablet.call("DELETE", f"/api/me/passkeys/{only_id(connection)}"),
    ):
        assert_problem(answer, 401, "reauthentication_required")
        assert "aal2" in answer.headers["WWW-Authenticate"]
    assert len(passkeys(connection)) == 1


def test_where_addresses_are_verified_an_unverified_account_adds_none(
    mail_app: Flask, mail_operator: Operator, alice: Person, connection: Connection
) -> None:
    credential = SoftwareAuthenticator().create(creation_options(alice.logged_in()))
    alice.app = mail_app
    for answer in (alice.call("POST", OPTIONS, json={}), register(alice, credential)):
        assert_problem(answer, 403, "email_unverified")
    assert passkeys(connection) == []
    mail_operator.run("users", "verify", alice.email)
    assert register(alice, credential).status_code == 201


def test_an_unverified_account_may_remove_one(
    mail_app: Flask, alice: Person, connection: Connection
) -> None:
    add_passkey(alice.logged_in())
    alice.app = mail_app
    assert remove(alice, only_id(connection)) == 204


def test_an_account_has_at_most_twenty_passkeys(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    alice.app = make_app(rate_limit_factor=10)
    alice.logged_in()
    for _ in range(19):
        add_passkey(alice)
    options = creation_options(alice)
    add_passkey(alice)
    one_too_many = register(alice, SoftwareAuthenticator().create(options))
    for answer in (one_too_many, alice.call("POST", OPTIONS, json={})):
        assert_problem(answer, 409, "factor_exists")
        assert answer.json["detail"] == "The account has 20 passkeys already: remove one first."
    assert len(passkeys(connection)) == 20
    assert remove(alice, UUID(str(passkeys(connection)[0].id))) == 204
    add_passkey(alice)


def test_twenty_changes_of_factors_an_hour_are_enough(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        for _ in range(9):
            add_passkey(alice)
            assert remove(alice, UUID(str(passkeys(connection)[-1].id))) == 204
        add_passkey(alice)
        credential = SoftwareAuthenticator().create(creation_options(alice))
        for answer in (
            register(alice, credential),
            alice.call("DELETE", f"/api/me/passkeys/{passkeys(connection)[-1].id}"),
        ):
            assert_problem(answer, 429, "rate_limited")
            assert answer.headers["Retry-After"] == "3600"
        assert len(passkeys(connection)) == 2
        clock.shift(3601)
        assert log_in_by_passkey(alice, authenticator).status_code == 200
        add_passkey(alice)


def test_a_refused_passkey_does_not_count_as_a_change(alice: Person) -> None:
    alice.logged_in()
    for _ in range(21):
        credential = SoftwareAuthenticator().create(creation_options(alice), flags=0)
        assert_problem(register(alice, credential), 403, "credential_refused")
        assert remove(alice, uuid4()) == 404
    add_passkey(alice)


def test_a_removed_passkey_logs_in_no_more_and_the_password_alone_does(
    alice: Person, connection: Connection
) -> None:
    authenticator = add_passkey(alice.logged_in())
    assert_problem(alice.on_another_device().log_in(), 401, "second_factor_required")
    assert remove(alice, only_id(connection)) == 204
    refused = log_in_by_passkey(alice.on_another_device(), authenticator)
    assert_problem(refused, 401, "invalid_credentials")
    assert alice.on_another_device().log_in().status_code == 200


def test_a_passkey_that_was_removed_can_be_added_again(
    alice: Person, connection: Connection
) -> None:
    authenticator = add_passkey(alice.logged_in())
    assert remove(alice, only_id(connection)) == 204
    add_passkey(alice, authenticator)


def test_a_passkey_of_another_account_is_not_found(
    alice: Person, bob: Person, connection: Connection
) -> None:
    add_passkey(bob.logged_in())
    alice.logged_in()
    assert [remove(alice, only_id(connection)), remove(alice, uuid4())] == [404, 404]
    assert len(passkeys(connection)) == 1
    add_passkey(alice)
    assert remove(alice, UUID(str(passkeys(connection)[0].id))) == 404


def test_a_passkey_is_removed_once(alice: Person, connection: Connection) -> None:
    add_passkey(alice.logged_in())
    passkey_id = only_id(connection)
    assert [remove(alice, passkey_id), remove(alice, passkey_id)] == [204, 404]
    assert [one.event for one in events(connection)].count("factor_removed") == 1


def test_recovery_codes_go_with_the_last_factor_and_not_before(
    alice: Person, connection: Connection
) -> None:
    add_passkey(alice.logged_in())
    add_passkey(alice)
    give_recovery_codes(alice)
    first, second = (UUID(str(row.id)) for row in passkeys(connection))
    assert (remove(alice, first), recovery_codes(connection)) == (204, 10)
    assert (remove(alice, second), recovery_codes(connection)) == (204, 0)


def test_recovery_codes_stay_while_an_authenticator_app_is_left(
    alice: Person, connection: Connection
) -> None:
    add_passkey(alice.logged_in())
    give_totp(alice)
    give_recovery_codes(alice)
    assert (remove(alice, only_id(connection)), recovery_codes(connection)) == (204, 10)


def test_passkeys_go_with_their_account(alice: Person, connection: Connection) -> None:
    authenticator = add_passkey(alice.logged_in())
    body = {"password": alice.password}
    assert alice.call("DELETE", "/api/me", json=body).status_code == 204
    assert passkeys(connection) == []
    refused = log_in_by_passkey(alice.on_another_device(), authenticator)
    assert_problem(refused, 401, "invalid_credentials")


def test_a_body_of_another_type_is_refused(alice: Person) -> None:
    alice.logged_in()
    for path in (OPTIONS, "/api/me/passkeys"):
        assert_problem(alice.call("POST", path, json=[]), 400, "invalid_request")
        assert_problem(alice.call("POST", path, data="x"), 415, "unsupported_media_type")
    assert pointers(alice.call("POST", "/api/me/passkeys", json={})) == ["/name", "/credential"]
