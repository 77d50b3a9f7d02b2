"""A thread that sends the mails of the outbox while the service runs."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread

from sqlalchemy.exc import SQLAlchemyError

from authsvc.mail.sender import Sender

POLL_SECONDS = 5
"""How often it looks for mails that are due again, or whose sender died."""
FINISH_SECONDS = 1.0
"""How long it may go on with the mail that it is sending, when the service ends."""
ABORT_SECONDS = 0.8
"""How long it may then take to put the mail back into the outbox."""

_log = logging.getLogger(__name__)


class SenderThread:
    """Sends mail until it is stopped. It never hinders the process from ending.

    Args:
        sender: sends it.
        context: enters the app context that the database needs.
        housekeeping: is called when no mail waits; it must be short.
        goes_on: returns whether another mail may be begun.
    """

    def __init__(
        self,
        sender: Sender,
        context: Callable[[], AbstractContextManager[object]],
        housekeeping: Callable[[], object],
        goes_on: Callable[[], bool],
    ) -> None:
        self._sender = sender
        self._context = context
        self._housekeeping = housekeeping
        self._goes_on = goes_on
        self._woken = Event()
        self._stopped = Event()
        self._reported = False
        self._thread = Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._woken.set()

    def stop(self) -> None:
        """End within two seconds. A mail that takes longer is put back into the outbox."""
        self._stopped.set()
        self.wake()
        self._thread.join(FINISH_SECONDS)
        if self._thread.is_alive():
            self._sender.abort()
            self._thread.join(ABORT_SECONDS)

    def _run(self) -> None:
        with self._context():
            while self._may_go_on():
                self._look()
                self._woken.wait(POLL_SECONDS)
                self._woken.clear()

    def _may_go_on(self) -> bool:
        return not self._stopped.is_set() and self._goes_on()

    def _look(self) -> None:
        try:
            if self._sender.send_due(self._may_go_on) == 0:
                self._housekeeping()
            self._reported = False
        except SQLAlchemyError as error:
            if not self._reported:
                reason = " ".join(str(getattr(error, "orig", error)).split())
                _log.warning("mail waits, since the database does not answer: %s", reason)
                self._reported = True
        except Exception:
            _log.exception("mail waits, because of a defect")
