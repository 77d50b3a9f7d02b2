"""The requests of a person who registers and verifies the address, and the rows behind them."""

from email.message import EmailMessage

from flask import Flask
from sqlalchemy import Row, insert, select
from werkzeug.test import TestResponse

from authsvc.database import reading, writing
from authsvc.mail.model import WaitingMail
from authsvc.users.model import User
from authsvc.users.one_time_tokens import OneTimeToken
from tests.support.mailbox import Mailbox
from tests.support.people import Person

VERIFY = "verify-email"
"""The page that links lead to."""


def register(person: Person, **more: object) -> TestResponse:
    return person.call("POST", "/auth/register", json=person.credentials | more)


def verify(person: Person, token: str, password: str | None = None) -> TestResponse:
    body = {"token": token} if password is None else {"token": token, "password": password}
    return person.call("POST", "/auth/email/verify", json=body)


def resend(person: Person, email: str | None = None) -> TestResponse:
    return person.call("POST", "/auth/email/resend", json={"email": email or person.email})


def accounts_of(app: Flask) -> list[Row]:
    """Return the rows of all users, oldest first."""
    return _rows(app, User)


def links_of(app: Flask) -> list[Row]:
    """Return the rows of all one-time tokens, oldest first."""
    return _rows(app, OneTimeToken)


def outbox_of(app: Flask) -> list[Row]:
    """Return the rows of all mails that wait, oldest first."""
    return _rows(app, WaitingMail)


def deliver_and_die(mailbox: Mailbox) -> list[EmailMessage]:
    """Send what is due as a sender does that dies after that: the mails stay in the outbox."""
    rows = [dict(row._mapping) for row in outbox_of(mailbox.app)]
    mails = mailbox.deliver()
    with mailbox.app.app_context(), writing() as connection:
        connection.execute(insert(WaitingMail), rows)
    return mails


def _rows(app: Flask, table: type[User | OneTimeToken | WaitingMail]) -> list[Row]:
    with app.app_context(), reading() as connection:
        return list(connection.execute(select(table.__table__).order_by(table.id)))
