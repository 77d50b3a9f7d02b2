"""Send the mails of the outbox."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.mail import leases
from authsvc.mail.failures import Interrupted, MailBroken, MailNotSent, ServerAway
from authsvc.mail.leases import Leased
from authsvc.mail.letter import Letter
from authsvc.mail.messages import Messages
from authsvc.mail.observer import NoObserver, Observer
from authsvc.mail.outbox import Mail
from authsvc.mail.retries import Pause
from authsvc.mail.settling import settle
from authsvc.mail.transports import Transport


class Sender:
    """Sends what the outbox holds. One thread at a time may use it.

    Args:
        letter: says what a mail is to say, or None if there is nothing to send any more.
        messages: renders it.
        transport: takes it.
        observer: counts what was sent and given up.
    """

    def __init__(
        self,
        letter: Callable[[Connection, Mail], Letter | None],
        messages: Messages,
        transport: Transport,
        observer: Observer | None = None,
    ) -> None:
        self._letter = letter
        self._messages = messages
        self._transport = transport
        self.observer = observer or NoObserver()
        """A command that shows its progress puts its own in place of the metrics."""
        self._pause = Pause()
        self._unfinished: Callable[[], object] | None = None
        """Writes the outcome of the last mail into the database, which did not answer."""

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send the mails that are due, and return how many were sent.

        A mail that cannot be sent does not hinder the others: it is due again later, or it is
        given up. If the mail server takes no mail at all, this returns after the first attempt,
        and makes none for some seconds.

        Args:
            goes_on: returns whether another mail may be begun.

        Raises:
            SQLAlchemyError: the database does not answer. Calling again is safe.
        """
        sent = 0
        self._finish()
        number, oldest = leases.waiting()
        age = 0.0 if oldest is None else (clock.now() - oldest).total_seconds()
        self.observer.waiting(number, max(0.0, age))
        if number == 0 or not self._pause.is_over(clock.now()):
            return 0
        while goes_on() and (taken := leases.take(self._write)):
            mail, written = taken
            failure = self._attempt(mail, written)
            if failure is None and written is not None:
                sent += 1
                self._pause.end()
                self.observer.sent(mail.kind)
            user_id = written.user_id if isinstance(written, Letter) else mail.user_id
            self._unfinished = partial(settle, mail, failure, user_id, self.observer)
            self._finish()
            if isinstance(failure, ServerAway):
                self._pause.begin(clock.now())
            if isinstance(failure, ServerAway | Interrupted):
                break
        return sent

    def send_now(self, letter: Letter) -> None:
        """Send a letter past the outbox, in one attempt.

        Raises:
            MailNotSent: its text says why, and `reply` what the server said.
        """
        self._hand_over(letter, uuid7(), clock.now())

    def abort(self) -> None:
        """End the attempt that another thread makes, and make none any more: the process ends.

        The mail is put back, so that another process can send it.
        """
        self._transport.abort()

    def _finish(self) -> None:
        """Write the outcome of the last mail. Until that succeeds, no other mail is taken."""
        if self._unfinished is not None:
            self._unfinished()
            self._unfinished = None

    def _write(self, connection: Connection, mail: Mail) -> Letter | MailNotSent | None:
        """Write a letter. A mail for which that fails is leased and put back like any other."""
        try:
            with connection.begin_nested():
                return self._letter(connection, mail)
        except OperationalError:  # the database's: the whole transaction is repeated
            raise
        except Exception as error:
            return MailBroken(error)

    def _attempt(self, mail: Leased, written: Letter | MailNotSent | None) -> MailNotSent | None:
        """Send a letter, and return why it was not sent."""
        if not isinstance(written, Letter):
            return written
        try:
            self._hand_over(written, mail.id, mail.created_at)
        except MailNotSent as failure:
            return failure
        return None

    def _hand_over(self, letter: Letter, id: UUID, created_at: datetime) -> None:
        try:
            self._transport.send(self._messages.render(letter, id, created_at))
        except MailNotSent:
            raise
        except Exception as error:
            secrets = [letter.to] if letter.link is None else [letter.to, letter.link.token]
            raise MailBroken(error, secrets) from None
