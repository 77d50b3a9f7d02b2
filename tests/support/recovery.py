"""The requests of a person who has forgotten the password, and the links that are mailed."""

import re

from werkzeug.test import TestResponse

from tests.support.mailbox import APP_URL, Mailbox, text_of
from tests.support.people import Person

NEW = "a lamp that is not lit"


def forgot(person: Person, email: str | None = None, **headers: str) -> TestResponse:
    """Ask for a link for a new password, by default for the person's own address."""
    body = {"email": person.email if email is None else email}
    return person.call("POST", "/auth/password/forgot", json=body, headers=headers)


def reset(person: Person, token: str, password: str = NEW) -> TestResponse:
    """Set a new password with the token of a link."""
    body = {"token": token, "new_password": password}
    return person.call("POST", "/auth/password/reset", json=body)


def reset_tokens(mailbox: Mailbox) -> list[str]:
    """Send what is due, and return the tokens of the links for a new password, oldest first."""
    link = re.compile(rf"{re.escape(APP_URL)}/reset-password#token=([A-Za-z0-9_-]+)")
    texts = [text_of(mail) for mail in mailbox.deliver()]
    return [match[1] for text in texts for match in link.finditer(text)]


def mailed_token(person: Person, mailbox: Mailbox) -> str:
    """Ask for a link, and return the token of the only one that is mailed."""
    assert forgot(person).status_code == 202
    (token,) = reset_tokens(mailbox)
    return token
