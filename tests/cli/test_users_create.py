"""`users create`: with a password, or with an invitation."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection

from tests.cli.test_users_reset import printed, works
from tests.support.mailbox import Mailbox, token_in
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import NEW, reset
from tests.support.responses import assert_problem, events, users
from tests.support.terminal import at_terminal

EMAIL = "carol@example.com"


@pytest.fixture
def carol(mail_app: Flask) -> Person:
    """Carol, who has no account yet."""
    return Person(mail_app, EMAIL, NEW)


@pytest.mark.parametrize(("words", "typed"), [(["--invite"], f"{NEW}\n"), ([], "\n"), ([], "")])
def test_without_a_password_the_person_gets_an_invitation_to_set_one(
    mail_operator: Operator,
    carol: Person,
    mailbox: Mailbox,
    connection: Connection,
    words: list[str],
    typed: str,
) -> None:
    done = mail_operator.run("users", "create", EMAIL, *words, "--locale", "de", typed=typed)
    (row,) = users(connection)
    assert (done.exit_code, row.locale) == (0, "de")
    assert done.stdout == f"An invitation goes to {EMAIL} (id {row.id}).\n"
    mail = mailbox.only()
    assert (mail["To"], carol.log_in().status_code) == (EMAIL, 401)
    assert reset(carol, token_in(mail, "reset-password")).status_code == 204
    assert carol.log_in().status_code == 200
    assert events(connection)[0].event == "registered"


def test_a_printed_invitation_works_for_seven_days(
    mail_operator: Operator, carol: Person, mailbox: Mailbox
) -> None:
    done = mail_operator.run("users", "create", EMAIL, "--print")
    link, now = printed(done), datetime.now(UTC)
    assert "The link works once, for 7 days." in done.stderr
    assert mailbox.deliver() == []
    for age, good in ((timedelta(days=6, hours=23), True), (timedelta(days=7, hours=1), False)):
        with time_machine.travel(now + age):
            assert works(carol, link) is good
    assert reset(carol, link).status_code == 204


def test_an_account_without_a_password_takes_no_password(
    mail_operator: Operator, mail_app: Flask
) -> None:
    mail_operator.run("users", "create", EMAIL, "--invite")
    for password in ("!", "", NEW):
        answer = Person(mail_app, EMAIL, password).log_in()
        assert_problem(answer, 401, "invalid_credentials")


def test_an_invitation_to_an_address_with_an_account_is_refused(
    mail_operator: Operator, carol: Person, mailbox: Mailbox, connection: Connection
) -> None:
    carol.register()
    mailbox.deliver()
    done = mail_operator.run("users", "create", EMAIL, "--invite")
    assert (done.exit_code, len(users(connection))) == (1, 1)
    assert "There is an account with this e-mail address." in done.stderr
    assert mailbox.deliver() == []


@pytest.mark.parametrize("words", [[], ["--invite"], ["--print"]])
def test_without_mail_an_account_needs_a_password(
    operator: Operator, connection: Connection, words: list[str]
) -> None:
    done = operator.run("users", "create", EMAIL, *words)
    assert (done.exit_code, done.stdout, users(connection)) == (1, "", [])
    for said in ("AUTHSVC_MAIL_URL, AUTHSVC_MAIL_FROM and AUTHSVC_APP_URL", "password"):
        assert said in done.stderr


def test_with_a_password_the_address_is_to_be_verified(
    mail_operator: Operator, carol: Person, mailbox: Mailbox
) -> None:
    done = mail_operator.run("users", "create", EMAIL, typed=f"{NEW}\n")
    assert "can log in now" in done.stdout
    assert token_in(mailbox.only(), "verify-email")
    assert carol.log_in().status_code == 200


def test_where_addresses_must_be_verified_the_operator_hears_it(
    database_url: str, mail_settings: dict[str, str], carol: Person
) -> None:
    operator = Operator(database_url, **mail_settings, email_verification="required")
    done = operator.run("users", "create", EMAIL, typed=f"{NEW}\n")
    assert "can log in after opening the link that is mailed there." in done.stdout
    assert f"Without it: authsvc users verify {EMAIL}" in done.stderr


def test_a_wrong_language_tag_is_refused(mail_operator: Operator) -> None:
    done = mail_operator.run("users", "create", EMAIL, "--invite", "--locale", "d/e")
    assert (done.exit_code, "must be a language tag" in done.stderr) == (2, True)


def test_at_a_terminal_an_empty_answer_sends_an_invitation(
    mail_operator: Operator, carol: Person, mailbox: Mailbox
) -> None:
    with at_terminal("users", "create", EMAIL, env=mail_operator.environment) as terminal:
        terminal.wait_for("Password (leave it empty to mail an invitation): ")
        terminal.type(NEW)
        terminal.wait_for("Repeat for confirmation: ")
        terminal.type("something else")
        terminal.wait_for("The two entered values do not match.")
        terminal.wait_for("\nPassword (leave it empty to mail an invitation): ")
        terminal.type("")
        terminal.wait_for("An invitation goes to carol@example.com")
        assert terminal.exit_code() == 0
    assert mailbox.only()["To"] == EMAIL
