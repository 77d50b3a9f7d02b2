"""Send the mails of the outbox."""

from collections.abc import Callable

from sqlalchemy import Connection

from authsvc.mail import leases
from authsvc.mail.letter import Letter
from authsvc.mail.messages import Messages
from authsvc.mail.outbox import Mail
from authsvc.mail.transports import Transport


class Sender:
    """Sends what the outbox holds.

    Args:
        letter: says what a mail is to say, or None if there is nothing to send any more.
        messages: renders it.
        transport: takes it.
    """

    def __init__(
        self,
        letter: Callable[[Connection, Mail], Letter | None],
        messages: Messages,
        transport: Transport,
    ) -> None:
        self._letter = letter
        self._messages = messages
        self._transport = transport

    def send_due(self) -> int:
        """Send every mail that is due, and return how many were sent."""
        sent = 0
        while taken := leases.take(self._letter):
            mail, letter = taken
            if letter is not None:
                self._transport.send(self._messages.render(letter, mail.id, mail.created_at))
                sent += 1
            leases.remove(mail)
        return sent
