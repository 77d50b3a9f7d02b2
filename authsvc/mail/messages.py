"""Render a letter as a message in plain text and HTML."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from uuid import UUID

from authsvc.mail.letter import Letter


class Messages:
    """Renders letters.

    Args:
        sender: the From header, such as ``Example <no-reply@example.com>``.
        app_url: where links lead.
    """

    def __init__(self, sender: str, app_url: str) -> None:
        self._sender = sender
        self._app_url = app_url
        self._domain = parseaddr(sender)[1].rpartition("@")[2]

    def render(self, letter: Letter, id: UUID, created_at: datetime) -> EmailMessage:
        """Return the message of a letter. A second attempt gives the same bytes.

        Args:
            letter: what it says.
            id: of the mail in the outbox.
            created_at: when it was put there.
        """
        message = EmailMessage()
        message["Message-ID"] = f"<{id}@{self._domain}>"
        message["Date"] = format_datetime(created_at)
        message["From"] = self._sender
        message["To"] = letter.to
        message["Auto-Submitted"] = "auto-generated"
        message["Subject"] = letter.template
        link = letter.link and letter.link.url(self._app_url)
        message.set_content("\n".join([letter.template, link or "", *letter.facts.values()]))
        return message
