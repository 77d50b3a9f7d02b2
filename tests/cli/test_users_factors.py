"""`users factors` and `users reset-factors`, and what an export says about factors."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from time_machine import travel
from werkzeug.test import TestResponse

from authsvc.database import write_options
from authsvc.factors.recovery_codes import replace_codes
from authsvc.users import accounts
from tests.support.given_passkeys import give_passkey
from tests.support.lock_waits import wait_for_a_lock
from tests.support.mailbox import Mailbox, text_of
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, events, users
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET
from tests.support.software_authenticator import BE, SoftwareAuthenticator

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
NOTHING = "alice@example.com has no second factor.\n"
TABLES = ("totp", "recovery_codes", "passkeys")


@pytest.fixture
def operator(database_url: str) -> Operator:
    """An operator of a service with the secret that encrypts the factors of the test."""
    return Operator(database_url, factor_secret=FACTOR_SECRET.hex())


@pytest.fixture
def mail_operator(database_url: str, mail_settings: dict[str, str]) -> Operator:
    """The same, of a service that sends mail."""
    return Operator(database_url, factor_secret=FACTOR_SECRET.hex(), **mail_settings)


@pytest.fixture
def owner(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, whose registration's mails were delivered."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice


def give_everything(person: Person) -> list[str]:
    """Give a person an authenticator app, ten recovery codes and two passkeys."""
    give_totp(person)
    times = {"created_at": NOON, "last_used_at": NOON + timedelta(hours=1)}
    on_laptop = SoftwareAuthenticator(credential_id=b"Laptop")
    give_passkey(person, "Laptop", on_laptop, **times)
    give_passkey(person, "Phone", SoftwareAuthenticator(flags=BE), created_at=NOON)
    return give_recovery_codes(person)


def left(connection: Connection) -> list[int]:
    """Return the number of rows in each table of factors."""
    return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in TABLES]


def test_factors_lists_what_an_account_has(operator: Operator, alice: Person) -> None:
    with travel(NOON, tick=False):
        codes = give_everything(alice)
        alice.call("POST", "/auth/login", json=alice.credentials | {"recovery_code": codes[0]})
    done = operator.run("users", "factors", "ALICE@example.com")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "authenticator app\tsince 2036-11-24T11:58:00Z\tits secret can be decrypted",
        "recovery codes\t9 left",
        "passkey\tLaptop\tcreated 2036-11-24T12:00:00Z\tlast used 2036-11-24T13:00:00Z\t"
        "on one device",
        "passkey\tPhone\tcreated 2036-11-24T12:00:00Z\tnever used\tsynced",
    ]


def test_factors_of_an_account_without_any_says_so(operator: Operator, alice: Person) -> None:
    done = operator.run("users", "factors", alice.email)
    assert (done.exit_code, done.stdout) == (0, NOTHING)


def test_an_authenticator_app_that_was_not_confirmed_is_no_second_factor(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    give_totp(alice)
    connection.execute(text("UPDATE totp SET confirmed_at = NULL"))
    first, second = operator.run("users", "factors", alice.email).stdout.splitlines()
    assert first.startswith("authenticator app\twaits for its first code since 20")
    assert f"{second}\n" == NOTHING
    done = operator.run("users", "reset-factors", alice.email, "--yes")
    assert "an authenticator app that waited for its first code" in done.stdout
    assert left(connection) == [0, 0, 0]
    assert [event.event for event in events(connection)] == ["registered"]


@pytest.mark.parametrize("settings", [{}, {"factor_secret": ACCESS_SECRET[::-1].hex()}])
def test_factors_says_if_the_secret_of_an_app_cannot_be_decrypted(
    database_url: str, alice: Person, settings: dict[str, str]
) -> None:
    give_totp(alice)
    done = Operator(database_url, **settings).run("users", "factors", alice.email)
    assert "its secret cannot be decrypted, so its codes are refused: set" in done.stdout


def test_the_name_of_a_passkey_cannot_move_the_cursor(operator: Operator, alice: Person) -> None:
    give_passkey(alice, "a\tphone\n\x1b[2J")
    (_, line) = operator.run("users", "factors", alice.email).stdout.splitlines()
    assert line.split("\t")[1] == "a?phone??[2J"


def test_reset_factors_removes_them_all_and_lets_the_password_log_in(
    operator: Operator, alice: Person, bob: Person, connection: Connection
) -> None:
    give_everything(alice)
    give_totp(bob)
    assert_problem(alice.log_in(), 401, "second_factor_required")
    done = operator.run("users", "reset-factors", "Alice@example.com", "--yes")
    assert done.stdout == (
        "Removed from alice@example.com: the authenticator app, 2 passkeys, 10 recovery codes.\n"
    )
    assert "authsvc sessions revoke alice@example.com" in done.stderr
    assert left(connection) == [1, 0, 0]  # Bob's
    assert alice.log_in().status_code == 200
    assert_problem(bob.log_in(), 401, "second_factor_required")


@pytest.mark.only("postgres")  # SQLite has one writer at a time
def test_reset_factors_removes_a_factor_that_is_being_added(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    give_totp(alice)
    with ThreadPoolExecutor() as pool, connection.engine.connect() as owner:
        owner.execution_options(**write_options)
        accounts.lock(owner, users(connection)[0].id)
        waiting = pool.submit(operator.run, "users", "reset-factors", alice.email, "--yes")
        wait_for_a_lock(connection, waiting)
        replace_codes(owner, users(connection)[0].id)
        owner.commit()
        assert "10 recovery codes" in waiting.result().stdout
    assert left(connection) == [0, 0, 0]


def test_reset_factors_is_audited_as_the_operators_and_the_sessions_stay(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    give_everything(alice)
    operator.run("users", "reset-factors", alice.email, "--yes")
    removed = [event for event in events(connection) if event.event == "factor_removed"]
    details = [(event.actor, event.detail) for event in removed]
    assert details == [("operator", "totp"), ("operator", "passkey"), ("operator", "passkey")]
    assert {event.user_id for event in removed} == {users(connection)[0].id}
    assert {event.operator for event in removed} != {None}
    assert alice.refresh().status_code == 200


@pytest.mark.parametrize(("typed", "kept"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_reset_factors_asks_for_confirmation(
    operator: Operator, alice: Person, connection: Connection, typed: str, kept: int
) -> None:
    give_totp(alice)
    done = operator.run("users", "reset-factors", alice.email, typed=typed)
    assert "Remove all second factors of alice@example.com (" in done.output
    assert (done.exit_code, left(connection)) == (kept, [kept, 0, 0])


def test_reset_factors_without_a_factor_is_not_an_error_and_leaves_no_trace(
    mail_operator: Operator, owner: Person, mailbox: Mailbox, connection: Connection
) -> None:
    done = mail_operator.run("users", "reset-factors", owner.email, "--yes")
    said = "alice@example.com has no second factor: nothing was removed.\n"
    assert (done.exit_code, done.stdout, done.stderr) == (0, said, "")
    assert [event.event for event in events(connection)] == ["registered"]
    assert mailbox.deliver() == []


def test_the_owner_gets_one_mail_about_a_reset(
    mail_operator: Operator, owner: Person, mailbox: Mailbox
) -> None:
    codes = give_everything(owner)
    mail_operator.run("users", "reset-factors", owner.email, "--yes")
    mail = mailbox.only()
    assert mail["To"] == owner.email
    assert mail["Subject"] == "All second factors were removed from your account at Example"
    assert "The people who run Example did this." in text_of(mail)
    assert codes[0] not in text_of(mail)


def test_the_owner_gets_a_mail_when_a_recovery_code_is_used(
    owner: Person, mailbox: Mailbox
) -> None:
    give_totp(owner)
    code, *others = give_recovery_codes(owner)
    used = owner.call("POST", "/auth/login", json=owner.credentials | {"recovery_code": code})
    assert used.status_code == 200
    subjects = {str(mail["Subject"]): text_of(mail) for mail in mailbox.deliver()}
    said = subjects["A recovery code was used to log in to Example"]
    assert "It does not work again." in said
    assert not any(one in said for one in [code, *others])


@pytest.mark.parametrize(
    ("granted", "has_factor", "warns"),
    [
        (["admin"], False, True),
        (["editor", "admin"], False, True),
        (["admin"], True, False),
        (["editor"], False, False),
    ],
)
def test_grant_says_if_a_role_needs_a_second_factor_that_the_account_lacks(
    database_url: str, alice: Person, granted: list[str], has_factor: bool, warns: bool
) -> None:
    if has_factor:
        give_passkey(alice)
    operator = Operator(database_url, aal2_roles="admin,owner")
    done = operator.run("users", "grant", alice.email, *granted)
    assert done.exit_code == 0
    assert ("admin: this needs two factors (AUTHSVC_AAL2_ROLES)" in done.stderr) == warns


@pytest.mark.parametrize("words", ["factors", "reset-factors"])
def test_an_unknown_address_is_refused_with_a_sentence(operator: Operator, words: str) -> None:
    done = operator.run("users", words, "unknown@example.com")
    assert done.exit_code == 1
    assert "There is no account with this e-mail address." in done.stderr


def test_an_export_has_the_factors_without_their_secrets(
    operator: Operator, alice: Person, bob: Person, connection: Connection
) -> None:
    codes = give_everything(alice)
    give_totp(bob)
    done = operator.run("users", "export", alice.email)
    factors = json.loads(done.stdout)["factors"]
    assert [set(row) for row in factors["totp"]] == [
        {"user_id", "created_at", "confirmed_at", "last_step"}
    ]
    assert [set(row) for row in factors["recovery_codes"]] == [{"id", "user_id", "used_at"}] * 10
    assert [row["name"] for row in factors["passkeys"]] == ["Laptop", "Phone"]
    assert factors["passkeys"][0]["credential_id"] == "TGFwdG9w"
    secret = connection.execute(text("SELECT secret FROM totp")).scalars().first()
    assert not any(hidden in done.stdout for hidden in ["hash", str(secret), *codes])


def test_a_reset_after_other_failures_leaves_the_account_as_locked_as_it_was(
    operator: Operator, alice: Person
) -> None:
    give_totp(alice)
    wrong = alice.credentials | {"code": "000000"}
    answers = [alice.call("POST", "/auth/login", json=wrong).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    operator.run("users", "reset-factors", alice.email, "--yes")
    assert alice.log_in().status_code == 429
    assert limits(operator) == {"failed_logins": 10, "failed_confirmations": 0, "wrong_codes": 10}
    operator.run("users", "unlock", alice.email)
    assert limits(operator) == {"failed_logins": 0, "failed_confirmations": 0, "wrong_codes": 0}
    assert alice.log_in().status_code == 200
    answers = [reauthenticate(alice, "password", "wrong"), reauthenticate(alice, "code", "0")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert limits(operator) == {"failed_logins": 0, "failed_confirmations": 1, "wrong_codes": 1}


def limits(operator: Operator) -> dict[str, int]:
    """Return the failures that count, as the export shows them."""
    return dict(json.loads(operator.run("users", "export", "alice@example.com").stdout)["limits"])


def reauthenticate(person: Person, name: str, value: str) -> TestResponse:
    return person.call("POST", "/auth/reauthenticate", json={name: value})
