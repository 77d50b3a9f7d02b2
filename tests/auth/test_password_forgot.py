"""POST /auth/password/forgot."""

from flask import Flask

from tests.support.mailbox import Mailbox, token_in
from tests.support.people import Person


def forgot(person: Person, email: str):
    return person.call("POST", "/auth/password/forgot", json={"email": email})


def test_a_forgotten_password_sends_a_link_to_the_address_of_the_account(
    mail_app: Flask, mailbox: Mailbox
) -> None:
    alice = Person(mail_app, "Alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    answer = forgot(alice, "alice@EXAMPLE.com")
    assert (answer.status_code, answer.json) == (202, {})
    mail = mailbox.only()
    assert mail["To"] == "Alice@example.com"
    assert len(token_in(mail, "reset-password")) == 43
