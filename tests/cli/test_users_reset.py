"""`users reset`, `users verify`, and what other commands do to links and mails."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from click.testing import Result
from sqlalchemy import Connection, text

from authsvc.tokens.jws import token_hash
from tests.support.mailbox import APP_URL, Mailbox, token_in
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import forgot, reset
from tests.support.responses import assert_problem, events, users

NEW_PASSWORD = "another horse, quite incorrect"
LINK = re.compile(rf"{APP_URL}/reset-password#token=([A-Za-z0-9_-]{{43}})\n")


@pytest.fixture
def owner(mail_app, mailbox: Mailbox) -> Person:
    """Alice, whose registration's mails were delivered."""
    alice = Person(mail_app, "Alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice


def kinds(connection: Connection) -> list[str]:
    """Return which events operators have caused."""
    return [event.event for event in events(connection) if event.actor == "operator"]


def waiting(connection: Connection) -> list[tuple[str, str]]:
    """Return the kind and the address of each mail that waits."""
    query = text("SELECT kind, email FROM outbox ORDER BY id")
    return [tuple(row) for row in connection.execute(query)]


def works(owner: Person, token: str) -> bool:
    """Return whether a link for a new password works: a weak password does not use it up."""
    answer = reset(owner, token, "weak")
    if answer.status_code == 422:
        return True
    assert_problem(answer, 401, "token_invalid")
    return False


def printed(done: Result) -> str:
    """Return the token of the link that a command has printed, and nothing else."""
    match = LINK.fullmatch(done.stdout)
    assert match is not None, done.output
    return match[1]


def test_reset_mails_a_link_with_which_the_owner_sets_a_password(
    mail_operator: Operator, owner: Person, mailbox: Mailbox, connection: Connection
) -> None:
    done = mail_operator.run("users", "reset", "alice@EXAMPLE.com")
    said = "A link for a new password goes to Alice@example.com.\n"
    assert (done.exit_code, done.stdout) == (0, said)
    mail = mailbox.only()
    assert mail["To"] == "Alice@example.com"
    assert reset(owner, token_in(mail, "reset-password"), NEW_PASSWORD).status_code == 204
    assert kinds(connection) == ["password_reset_requested"]


def test_reset_prints_a_link_for_30_minutes_which_voids_older_ones(
    mail_operator: Operator, owner: Person, mailbox: Mailbox, connection: Connection
) -> None:
    forgot(owner)
    mailed = mailbox.token("reset-password")
    mail_operator.run("users", "reset", owner.email)
    done = mail_operator.run("users", "reset", owner.email, "--print")
    assert "The link works once, for 30 minutes." in done.stderr
    assert mailbox.deliver() == []
    assert (works(owner, mailed), works(owner, printed(done))) == (False, True)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31)):
        assert not works(owner, printed(done))


@pytest.mark.parametrize("option", [[], ["--print"]])
def test_reset_of_a_disabled_account_is_refused_with_what_to_do(
    mail_operator: Operator, owner: Person, connection: Connection, option: list[str]
) -> None:
    mail_operator.run("users", "disable", owner.email)
    done = mail_operator.run("users", "reset", owner.email, *option)
    assert done.exit_code == 1
    assert "is disabled. Run `authsvc users enable Alice@example.com` first." in done.stderr
    assert waiting(connection) == []
    assert kinds(connection) == ["account_disabled"]


@pytest.mark.parametrize("option", [[], ["--print"]])
def test_reset_without_mail_says_what_to_set(
    operator: Operator, alice: Person, option: list[str]
) -> None:
    done = operator.run("users", "reset", alice.email, *option)
    assert (done.exit_code, done.stdout) == (1, "")
    for words in ("AUTHSVC_MAIL_URL, AUTHSVC_MAIL_FROM and AUTHSVC_APP_URL", "set-password"):
        assert words in done.stderr


def test_reset_of_an_unknown_address_is_refused(mail_operator: Operator, owner: Person) -> None:
    done = mail_operator.run("users", "reset", "unknown@example.com")
    assert done.exit_code == 1
    assert "There is no account with this e-mail address." in done.stderr


def test_verify_marks_the_address_once(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    first = operator.run("users", "verify", alice.email)
    at = users(connection)[0].email_verified_at
    second = operator.run("users", "verify", alice.email)
    assert first.stdout == "alice@example.com is verified.\n"
    assert second.stdout == "alice@example.com is verified already.\n"
    assert users(connection)[0].email_verified_at == at is not None
    assert kinds(connection) == ["email_verified"]


def test_set_password_voids_links_and_tells_the_owner(
    mail_operator: Operator, owner: Person, mailbox: Mailbox, connection: Connection
) -> None:
    link = printed(mail_operator.run("users", "reset", owner.email, "--print"))
    forgot(owner)
    mail_operator.run("users", "set-password", owner.email, typed=f"{NEW_PASSWORD}\n")
    assert waiting(connection) == [("password_changed", owner.email)]
    assert not works(owner, link)
    assert mailbox.only()["To"] == owner.email


def test_email_voids_links_tells_the_old_address_and_verifies_the_new_one(
    mail_operator: Operator, owner: Person, mailbox: Mailbox, connection: Connection
) -> None:
    link = printed(mail_operator.run("users", "reset", owner.email, "--print"))
    forgot(owner)
    mail_operator.run("users", "email", owner.email, "alice@example.net")
    assert waiting(connection) == [
        ("email_changed", owner.email),
        ("verification", "alice@example.net"),
    ]
    assert not works(owner, link)
    notice, proof = sorted(mailbox.deliver(), key=lambda mail: mail["To"])
    assert (notice["To"], proof["To"]) == (owner.email, "alice@example.net")
    assert token_in(proof, "verify-email")


def test_email_sends_no_verification_where_addresses_are_not_verified(
    database_url: str, mail_settings: dict[str, str], owner: Person, connection: Connection
) -> None:
    operator = Operator(database_url, **mail_settings, email_verification="off")
    operator.run("users", "email", owner.email, "alice@example.net")
    assert [kind for kind, _ in waiting(connection)] == ["email_changed"]


def test_commands_of_a_service_without_mail_put_nothing_into_the_outbox(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    operator.run("users", "set-password", alice.email, typed=f"{NEW_PASSWORD}\n")
    assert operator.run("users", "email", alice.email, "alice@example.net").exit_code == 0
    assert waiting(connection) == []


def test_an_export_has_the_links_and_mails_that_wait_and_no_hash(
    mail_operator: Operator, owner: Person, connection: Connection
) -> None:
    link = printed(mail_operator.run("users", "reset", owner.email, "--print"))
    forgot(owner)
    data = json.loads(mail_operator.run("users", "export", owner.email).stdout)
    newest = data["links"][-1]
    assert (newest["purpose"], newest["email"], newest["used_at"]) == ("reset", owner.email, None)
    assert [(mail["kind"], mail["email"]) for mail in data["mails"]] == [("reset", owner.email)]
    assert "hash" not in str(data)
    assert token_hash(link).hex() not in str(data)


@pytest.mark.parametrize("by_operator", [True, False])
def test_deleting_an_account_leaves_no_link_and_no_mail_of_it(
    mail_operator: Operator, owner: Person, connection: Connection, by_operator: bool
) -> None:
    forgot(Person(owner.app, "bob@example.com", ""))
    mail_operator.run("users", "reset", owner.email, "--print")
    forgot(owner)
    assert len(waiting(connection)) == 2
    if by_operator:
        assert mail_operator.run("users", "delete", owner.email, "--yes").exit_code == 0
    else:
        body = {"password": owner.password}
        assert owner.logged_in().call("DELETE", "/api/me", json=body).status_code == 204
    assert [email for _, email in waiting(connection)] == ["bob@example.com"]
    left = connection.execute(text("SELECT email FROM one_time_tokens")).scalars()
    assert owner.email not in list(left)
