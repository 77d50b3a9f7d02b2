"""POST /api/me/email."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.database import writing
from authsvc.problems import ReauthenticationRequired
from tests.support.address_change import NEW, ask, confirm, mailed_token
from tests.support.api_description import Description
from tests.support.lock_waits import wait_for_a_lock
from tests.support.mailbox import Mailbox, text_of, token_in
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    counted_statements,
    events,
    pointers,
    users,
)

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def alice(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, logged in, whose mails so far were read."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice.logged_in()


@pytest.fixture
def bob(mail_app: Flask, mailbox: Mailbox) -> Person:
    bob = Person(mail_app, "bob@example.com", "a staple for a battery").register()
    mailbox.deliver()
    return bob.logged_in()


def waiting(connection: Connection) -> list[str]:
    """Return the addresses of the mails in the outbox."""
    return list(connection.scalars(text("SELECT email FROM outbox ORDER BY id")))


def test_a_request_mails_a_link_to_the_new_address_and_changes_nothing(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    before = users(connection)
    answer = ask(alice)
    assert (answer.status_code, answer.json) == (202, {})
    mail = mailbox.only()
    assert mail["To"] == NEW
    assert len(token_in(mail, "change-email")) == 43
    assert users(connection) == before
    assert alice.call("GET", "/api/me").json["email"] == "alice@example.com"


def test_the_request_is_in_the_audit_trail_without_the_address(
    alice: Person, connection: Connection
) -> None:
    ask(alice)
    last = events(connection)[-1]
    assert (last.event, last.actor, last.detail) == ("email_change_requested", "user", None)
    assert last.session is not None
    assert str(last.user_id) == claims(alice.access_token)["sub"]


def test_ten_minutes_after_the_login_it_takes_another_login(
    alice: Person, mailbox: Mailbox
) -> None:
    """V4; a refresh does not make a login more recent."""
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(590)
        assert alice.refresh().status_code == 200
        assert ask(alice, "soon@new.example").status_code == 202
        mailbox.only()
        clock.shift(11)
        refused = ask(alice)
        assert_problem(refused, 401, "reauthentication_required")
        assert refused.headers.getlist("WWW-Authenticate") == [
            ReauthenticationRequired(600).headers()["WWW-Authenticate"]
        ]
        assert 'max_age="600"' in refused.headers["WWW-Authenticate"]
        assert mailbox.deliver() == []
        assert ask(alice.logged_in()).status_code == 202
        assert mailbox.only()["To"] == NEW


def test_an_address_that_is_taken_costs_the_same_statements_as_a_free_one(
    mail_app: Flask, alice: Person, bob: Person
) -> None:
    """E1."""
    costs, answers = [], []
    with time_machine.travel(NOON, tick=False):
        alice.logged_in().call("GET", "/api/me")  # queries the list of revoked sessions
        for email in ("free@new.example", bob.email, "BOB@other.example", alice.email):
            with counted_statements(mail_app) as statements:
                answers.append(ask(alice, email))
            costs.append(list(statements))
    assert costs == [costs[0]] * 4
    assert [(one.status_code, one.data) for one in answers] == [(202, b"{}\n")] * 4


def test_the_address_of_another_account_is_refused_only_with_the_link(
    alice: Person, bob: Person, mailbox: Mailbox, connection: Connection
) -> None:
    """E1: only who reads the mail of that address learns that it has an account."""
    token = mailed_token(alice, mailbox, bob.email)
    before = users(connection)
    assert_problem(confirm(alice, token), 409, "email_taken")
    assert users(connection) == before


def test_a_second_request_for_the_same_address_is_silent_for_five_minutes(
    alice: Person, mailbox: Mailbox
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        token = mailed_token(alice.logged_in(), mailbox)
        clock.shift(299)
        for spelling in (NEW, "ALICE@NEW.example", f" {NEW}\n"):
            assert ask(alice, spelling).status_code == 202
        assert mailbox.deliver() == []
        clock.shift(2)
        assert mailed_token(alice, mailbox) != token
    assert_problem(confirm(alice, token), 401, "token_invalid")


def test_a_typo_that_is_corrected_at_once_sends_to_the_right_address_alone(
    alice: Person, mailbox: Mailbox
) -> None:
    ask(alice, "alcie@new.example")
    assert confirm(alice, mailed_token(alice, mailbox)).status_code == 204
    assert alice.call("GET", "/api/me").json["email"] == NEW


def test_who_returns_to_the_first_address_at_once_gets_a_link_to_it_and_to_no_other(
    alice: Person, mailbox: Mailbox
) -> None:
    mailed_token(alice, mailbox)
    typo = mailed_token(alice, mailbox, "alcie@new.example")
    token = mailed_token(alice, mailbox)
    assert_problem(confirm(alice, typo), 401, "token_invalid")
    assert confirm(alice, token).status_code == 204


def test_a_newer_request_voids_an_older_link_at_once(alice: Person, mailbox: Mailbox) -> None:
    older = mailed_token(alice, mailbox, "older@new.example")
    ask(alice)
    assert_problem(confirm(alice, older), 401, "token_invalid")
    assert confirm(alice, mailbox.token("change-email")).status_code == 204


def test_other_people_cannot_silence_a_request(
    alice: Person, bob: Person, mailbox: Mailbox
) -> None:
    assert ask(bob).status_code == 202
    bob.call("POST", "/auth/password/forgot", json={"email": NEW})
    bob.call("POST", "/auth/email/resend", json={"email": NEW})
    theirs = mailbox.only()
    mine = mailed_token(alice, mailbox)
    assert confirm(alice, mine).status_code == 204
    assert_problem(confirm(bob, token_in(theirs, "change-email")), 409, "email_taken")


def test_an_address_gets_five_mails_an_hour_from_all_people_together(
    alice: Person, bob: Person
) -> None:
    """The limit counts forgotten passwords too."""
    with time_machine.travel(NOON, tick=False) as clock:
        for person in (alice.logged_in(), bob.logged_in()):
            assert ask(person).status_code == 202
        for _ in range(3):
            bob.call("POST", "/auth/password/forgot", json={"email": NEW})
        refused = ask(alice)
        assert_problem(refused, 429, "rate_limited")
        assert refused.headers["Retry-After"] == "3600"
        assert ask(alice, "other@new.example").status_code == 202
        clock.shift(3600)
        assert ask(alice.logged_in()).status_code == 202


def test_a_network_gets_twenty_mails_an_hour(alice: Person, bob: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        alice.logged_in()
        for number in range(10):
            assert ask(alice, f"{number}@new.example").status_code == 202
            bob.call("POST", "/auth/password/forgot", json={"email": f"{number}@b.example"})
        assert_problem(ask(alice), 429, "rate_limited")
        elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
        body = {"email": NEW}
        answer = alice.call("POST", "/api/me/email", json=body, environ_base=elsewhere)
        assert answer.status_code == 202


@pytest.mark.parametrize(
    "email",
    [
        "alice",
        "alice@",
        "a\r\nBcc: eve@evil.example@new.example",
        "alice@new.example\r\nBcc: eve@evil.example",
        "alice@new.example\nSubject: You won",
        "Alice <alice@new.example>",
        "alice@new.example,eve@evil.example",
        "alice@new.example eve@evil.example",
        "alice\0@new.example",
        "\ud800@new.example",
        "a" * 255 + "@new.example",
        7,
        None,
        ["alice@new.example"],
    ],
)
def test_what_is_not_one_address_is_refused(
    alice: Person, connection: Connection, email: object
) -> None:
    answer = alice.call("POST", "/api/me/email", json={"email": email})
    assert pointers(answer) == ["/email"]
    assert waiting(connection) == []


def test_the_link_leads_to_the_configured_app_whatever_the_host(
    alice: Person, mailbox: Mailbox
) -> None:
    """E3."""
    poisoned = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert ask(alice, **poisoned).status_code == 202
    mail = mailbox.only()
    token_in(mail, "change-email")
    assert "evil" not in text_of(mail)


def test_the_session_must_be_in_force_in_the_database(
    alice: Person, connection: Connection
) -> None:
    """A worker accepts an access token up to a second after its session was revoked."""
    with time_machine.travel(NOON, tick=False):
        alice.logged_in().call("GET", "/api/me")  # from now on, the worker knows of no revocation
        alice.on_same_device().log_out()
        assert alice.call("GET", "/api/me").status_code == 200
        assert_problem(ask(alice), 401, "access_token_revoked")
    assert waiting(connection) == []


@pytest.mark.only("postgres")
def test_a_request_during_a_reset_comes_after_it_and_is_refused(
    alice: Person, connection: Connection
) -> None:
    """The reset voids what was asked for before, and the session is revoked from then on."""
    with ThreadPoolExecutor(1) as thread:
        with alice.app.app_context(), writing() as reset:
            reset.execute(text("UPDATE users SET password_hash = 'another'"))
            reset.execute(text("UPDATE refresh_tokens SET revoked_at = issued_at"))
            asking = thread.submit(ask, alice)
            wait_for_a_lock(connection, asking)
        assert_problem(asking.result(), 401, "access_token_revoked")
    assert waiting(connection) == []


def test_a_disabled_or_deleted_account_asks_for_nothing(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False):
        alice.logged_in().call("GET", "/api/me")
        connection.execute(text("UPDATE users SET disabled_at = created_at"))
        assert_problem(ask(alice), 401, "access_token_revoked")
        connection.execute(text("DELETE FROM users"))
        assert_problem(ask(alice), 401, "access_token_revoked")
    assert waiting(connection) == []


def test_a_deletion_of_the_account_ends_a_request(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    ask(alice, "other@new.example")
    answer = alice.call("DELETE", "/api/me", json={"password": alice.password})
    assert answer.status_code == 204
    assert waiting(connection) == []
    assert_problem(confirm(alice, token), 401, "token_invalid")


def test_a_request_needs_an_access_token_and_is_not_a_get(alice: Person) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert alice.call(method, "/api/me/email").status_code == 405
    alice.access_token = ""
    assert_problem(ask(alice), 401, "access_token_missing")


@pytest.mark.once
def test_the_answers_are_as_described(mail_app: Flask, alice: Person, mailbox: Mailbox) -> None:
    description = Description(mail_app)
    token = mailed_token(alice, mailbox)
    for answer in (ask(alice), ask(alice, "wrong"), confirm(alice, token), confirm(alice, token)):
        description.assert_describes(answer)
    codes = description.codes(description.operation("POST", "/api/me/email"))
    assert codes >= {"reauthentication_required", "validation_failed", "rate_limited"}
    codes = description.codes(description.operation("POST", "/auth/email/change"))
    assert codes >= {"token_invalid", "email_taken"}


@pytest.mark.once
def test_without_mail_the_routes_do_not_exist(app: Flask) -> None:
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    assert_problem(ask(alice), 404, "not_found")
    assert_problem(confirm(alice, "a"), 404, "not_found")
    assert not {"/api/me/email", "/auth/email/change"} & set(Description(app).document["paths"])
