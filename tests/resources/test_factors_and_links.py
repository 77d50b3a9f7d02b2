"""A new second factor voids a link that gives the account another address (V4)."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from tests.support.address_change import ask, confirm, mailed_token
from tests.support.authenticator_app import set_up
from tests.support.mailbox import Mailbox
from tests.support.passkeys import add_passkey
from tests.support.people import Person
from tests.support.responses import assert_problem


@pytest.fixture
def verified(mail_app: Flask, mailbox: Mailbox, connection: Connection) -> Person:
    """Alice, logged in; her address is verified, her mails are read."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register().logged_in()
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))
    mailbox.deliver()
    return alice


@pytest.mark.parametrize("add", [set_up, add_passkey], ids=["app", "passkey"])
def test_a_link_asked_for_without_a_second_factor_is_void_once_there_is_one(
    verified: Person, mailbox: Mailbox, add: Callable[[Person], object]
) -> None:
    thief = verified.on_another_device().logged_in()
    token = mailed_token(thief, mailbox)
    add(verified)
    assert_problem(confirm(thief, token), 401, "token_invalid")
    assert verified.call("GET", "/api/me").json["email"] == verified.email


def test_a_link_that_waits_in_the_outbox_is_void_too(verified: Person, mailbox: Mailbox) -> None:
    assert ask(verified).status_code == 202
    set_up(verified)
    assert [mail["To"] for mail in mailbox.deliver()] == [verified.email]


def test_a_link_asked_for_with_the_second_factor_is_good(
    verified: Person, mailbox: Mailbox
) -> None:
    set_up(verified)
    mailbox.deliver()
    assert confirm(verified, mailed_token(verified, mailbox)).status_code == 204
