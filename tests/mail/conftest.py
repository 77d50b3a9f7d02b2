"""Senders of the app's mails, to servers and folders of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from authsvc.database import our_engine
from authsvc.mail.messages import Messages
from authsvc.mail.outbox import Kind
from authsvc.mail.sender import Sender
from authsvc.mail.smtp import Limits, Server, SmtpTransport
from authsvc.mail.transports import Transport
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.users.letters import Letters
from authsvc.web import registry
from tests.support.mail_server import MailServer, mail_server
from tests.support.mailbox import APP_URL

SHORT = Limits(connecting=2, step=0.2, quitting=0.2, all=5)

MakeSender = Callable[..., Sender]


class Tally:
    """What a sender reported."""

    def __init__(self) -> None:
        self.reports: list[object] = []

    def sent(self, kind: Kind) -> None:
        self.reports.append(("sent", kind))

    def failed(self, kind: Kind) -> None:
        self.reports.append(("failed", kind))

    def put_back(self, kind: Kind) -> None: ...

    def waiting(self, number: int, age_of_oldest_seconds: float) -> None:
        self.reports.append((number, age_of_oldest_seconds))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def make_sender(mail_app: Flask, server: MailServer, tally: Tally) -> MakeSender:
    """A function that returns a sender of the app's mails, by default to the mail server."""

    def make(transport: Transport | None = None, templates: Path | None = None) -> Sender:
        tokens = registry.of(mail_app, OneTimeTokens)
        messages = Messages("Example <no-reply@example.com>", APP_URL, templates, "en")
        to_server = SmtpTransport(Server("localhost", server.port, "none"), SHORT)
        return Sender(Letters(tokens).letter, messages, transport or to_server, tally)

    return make


@contextmanager
def refusing(beginning: str, error: BaseException) -> Iterator[list[str]]:
    """Raise an error instead of executing statements that begin so, and yield those."""
    refused: list[str] = []

    def refuse(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith(beginning):
            refused.append(statement)
            raise error

    event.listen(our_engine(), "before_cursor_execute", refuse)
    try:
        yield refused
    finally:
        event.remove(our_engine(), "before_cursor_execute", refuse)
