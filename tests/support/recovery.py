"""The requests of a person who has forgotten the password, and the links that are mailed."""

import re
from datetime import timedelta

from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.database import writing
from authsvc.mail.outbox import Mail
from authsvc.tokens.one_time import OneTimeTokens, Purpose
from authsvc.users import accounts
from authsvc.users.emails import email_key
from authsvc.users.one_time_tokens import insert_token
from authsvc.web import registry
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


def link_of(person: Person, purpose: Purpose, email: str | None = None) -> str:
    """Return the token of a link that needs no mail; it goes to the person's own address.

    Args:
        person: has an account.
        purpose: what the link is for.
        email: another address.
    """
    email = email or person.email
    with person.app.app_context():
        account = accounts.find_by_email(person.email)
        assert account is not None
        mail = Mail("reset", email, email_key(email), account.id)
        with writing() as connection:
            tokens, expires_at = registry.get(OneTimeTokens), clock.now() + timedelta(hours=1)
            return insert_token(connection, tokens, purpose, mail, expires_at)
