"""POST /auth/register where addresses must be verified: 202 whatever the address."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection

from authsvc import clock, signals
from authsvc.users.one_time_tokens import purge_a_little
from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.hash_counts import counted_hashes
from tests.support.mail_routes import (
    VERIFY,
    accounts_of,
    links_of,
    outbox_of,
    register,
    resend,
    verify,
)
from tests.support.mailbox import Mailbox, text_of, token_in
from tests.support.people import Person
from tests.support.responses import assert_problem, counted_statements, events, pointers


@pytest.fixture
def carol(required_app: Flask) -> Person:
    return Person(required_app, "Carol@example.com", "a lamp that is not lit")


def test_a_registration_waits_and_no_account_exists(
    carol: Person, required_app: Flask, connection: Connection
) -> None:
    answer = register(carol, locale="pt-BR")
    assert (answer.status_code, answer.json) == (202, {})
    assert "Set-Cookie" not in answer.headers
    assert accounts_of(required_app) == events(connection) == []
    (waiting,), (mail,) = links_of(required_app), outbox_of(required_app)
    assert (waiting.id, waiting.purpose, mail.kind) == (mail.id, "verification", "registration")
    assert (waiting.email, waiting.email_key) == ("Carol@example.com", "carol@example.com")
    assert (waiting.user_id, waiting.used_at, waiting.locale) == (None, None, "pt-BR")
    assert waiting.password_hash.startswith("$argon2id$")
    assert_problem(carol.log_in(), 401, "invalid_credentials")


def test_the_link_and_the_password_make_the_account(
    carol: Person, required_app: Flask, mailbox: Mailbox, connection: Connection
) -> None:
    registered = []
    with signals.user_registered.connected_to(
        lambda app, user_id: registered.append(user_id), required_app
    ):
        register(carol, locale="de")
        mail = mailbox.only()
        assert (mail["To"], registered) == ("Carol@example.com", [])
        assert verify(carol, token_in(mail, VERIFY), carol.password).status_code == 204
    (user,) = accounts_of(required_app)
    assert registered == [user.id]
    assert (user.email, user.email_key) == ("Carol@example.com", "carol@example.com")
    assert (user.email_verified_at, user.locale) == (user.created_at, "de")
    assert [(event.event, event.user_id) for event in events(connection)] == [
        ("registered", user.id),
        ("email_verified", user.id),
    ]
    assert carol.logged_in().call("GET", "/api/me").json["email_verified"] is True
    (link,) = links_of(required_app)
    assert (link.user_id, link.password_hash) == (user.id, None)


def test_a_free_and_a_taken_address_get_the_same_answer_from_the_same_statements(
    carol: Person, required_app: Flask, mail_app: Flask
) -> None:
    Person(mail_app, "alice@example.com", "a horse that is correct").register()
    answers, statements = [], []
    for carol.email in ("ALICE@example.com", "free@example.com"):
        with counted_statements(required_app) as counted, counted_hashes(required_app) as hasher:
            answers.append(register(carol))
        statements.append(counted)
        assert hasher.calls == 1
    taken, free = answers
    assert (taken.status_code, taken.json) == (free.status_code, free.json) == (202, {})
    assert sorted(taken.headers.keys()) == sorted(free.headers.keys())
    assert (
        statements == [["SELECT", "INSERT", "DELETE", "INSERT", "INSERT"]] * 2
    )  # counts, link, mail


def test_a_registration_does_not_look_at_the_accounts(
    carol: Person, connection: Connection
) -> None:
    with without(connection, "users"):
        assert register(carol).status_code == 202


def test_the_link_and_its_mail_are_stored_together_or_not_at_all(
    carol: Person, required_app: Flask, connection: Connection
) -> None:
    with without(connection, "outbox"):
        assert register(carol).status_code in (500, 503)
    assert links_of(required_app) == []


def test_the_owner_of_an_account_is_told_that_there_is_one(
    carol: Person, mail_app: Flask, required_app: Flask, mailbox: Mailbox
) -> None:
    Person(mail_app, "carol@EXAMPLE.com", "a horse that is correct").register()
    mailbox.deliver()
    register(carol)
    mail = mailbox.only()
    assert mail["To"] == "carol@example.com"
    assert "already" in text_of(mail)
    assert "#token=" not in text_of(mail)
    assert [link.password_hash for link in links_of(required_app)] == [None]


def test_what_is_invalid_is_refused_and_stores_nothing(carol: Person, required_app: Flask) -> None:
    weak = register(carol, password="too few")
    assert pointers(weak) == ["/password"]
    assert pointers(register(carol, email="carol")) == ["/email"]
    assert pointers(register(carol, locale="not a language")) == ["/locale"]
    assert links_of(required_app) == outbox_of(required_app) == []


def test_each_network_registers_at_most_twenty_times_an_hour(carol: Person) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        answers = [register(carol, email=f"{number % 3}@example.com") for number in range(21)]
        assert [answer.status_code for answer in answers[:20]] == [202] * 20
        assert_problem(answers[20], 429, "rate_limited")
        moved.move_to(at + timedelta(hours=1, seconds=1))
        assert register(carol).status_code == 202


def test_registration_can_be_closed(
    make_app: MakeApp, mail_settings: dict[str, str], carol: Person
) -> None:
    carol.app = make_app(**mail_settings, email_verification="required", registration="closed")
    assert_problem(register(carol), 403, "registration_closed")


@pytest.mark.once
def test_the_document_says_202_where_addresses_must_be_verified(
    carol: Person, required_app: Flask, mail_app: Flask
) -> None:
    required, optional = Description(required_app), Description(mail_app)
    required.assert_describes(register(carol))
    found = required.operation("POST", "/auth/register").description
    usual = optional.operation("POST", "/auth/register").description
    assert found["operationId"] == usual["operationId"] == "register"
    assert found["requestBody"] == usual["requestBody"]
    assert {"202"} == set(found["responses"]) - set(usual["responses"])
    assert {"201", "409"} == set(usual["responses"]) - set(found["responses"])


def test_a_registration_expires_after_a_day_and_holds_nothing(
    carol: Person, required_app: Flask, mailbox: Mailbox
) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        register(carol)
        expired = token_in(mailbox.only(), VERIFY)
        moved.move_to(at + timedelta(days=1))
        assert_problem(verify(carol, expired, carol.password), 401, "token_invalid")
        assert resend(carol).status_code == 202
        assert mailbox.deliver() == []
        register(carol)
        assert verify(carol, mailbox.token(VERIFY), carol.password).status_code == 204
    assert len(accounts_of(required_app)) == 1


@pytest.mark.parametrize("expired", [1, 20])
def test_expired_registrations_are_removed_and_no_others(
    carol: Person, required_app: Flask, expired: int
) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        for number in range(expired):
            register(carol, email=f"{number}@example.com")
        moved.move_to(at + timedelta(days=1))
        register(carol)
        with required_app.app_context():
            purge_a_little()
    assert [link.email for link in links_of(required_app)] == [carol.email]


def test_a_registration_while_the_mail_server_is_away_is_mailed_later(
    carol: Person, required_app: Flask, mailbox: Mailbox
) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        register(carol)
        moved.move_to(at + timedelta(hours=23))
        token = mailbox.token(VERIFY)
        moved.move_to(at + timedelta(hours=46))
        assert verify(carol, token, carol.password).status_code == 204
