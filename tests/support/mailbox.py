"""The mails that a service has sent into a folder, as their readers see them."""

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from flask import Flask

from authsvc.mail.sender import Sender
from authsvc.web import registry

APP_URL = "https://app.example.com"


class Mailbox:
    """Every mail that the app has sent, to all recipients.

    Args:
        app: an app that sends mail into the folder.
        folder: the folder that it writes them into.
    """

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app = app
        self.folder = folder

    def deliver(self) -> list[EmailMessage]:
        """Send what is due, and return the mails that are new, oldest first."""
        known = set(self.folder.glob("*.eml"))
        with self.app.app_context():
            registry.get(Sender).send_due()
        new = sorted(set(self.folder.glob("*.eml")) - known)
        return [BytesParser(policy=policy.default).parsebytes(file.read_bytes()) for file in new]

    def only(self) -> EmailMessage:
        """Send what is due, and return the only new mail."""
        (message,) = self.deliver()
        return message

    def token(self, page: str) -> str:
        """Send what is due, and return the token of the only new mail's link to that page."""
        return token_in(self.only(), page)


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def token_in(message: EmailMessage, page: str) -> str:
    """Return the token of a mail's link, which must lead to that page."""
    match = re.search(rf"{re.escape(APP_URL)}/{page}#token=([A-Za-z0-9_-]+)", text_of(message))
    assert match is not None, text_of(message)
    return match[1]


def html_of(message: EmailMessage) -> str:
    """Return the HTML of a mail."""
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())
