"""The requests of a person who changes the address of the account."""

from werkzeug.test import TestResponse

from tests.support.mailbox import Mailbox, token_in
from tests.support.people import Person

NEW = "alice@new.example"


def ask(person: Person, email: str = NEW, **headers: str) -> TestResponse:
    """Ask for a link to a new address."""
    return person.call("POST", "/api/me/email", json={"email": email}, headers=headers)


def confirm(person: Person, token: str) -> TestResponse:
    """Change the address with the token of a link."""
    return person.call("POST", "/auth/email/change", json={"token": token})


def mailed_token(person: Person, mailbox: Mailbox, email: str = NEW) -> str:
    """Ask for a link, and return its token."""
    assert ask(person, email).status_code == 202
    mail = mailbox.only()
    assert mail["To"] == email
    return token_in(mail, "change-email")
