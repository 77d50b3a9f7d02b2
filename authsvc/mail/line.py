"""The connection of one attempt, which a timer or another thread can cut."""

import socket
from contextlib import suppress
from threading import Lock, Timer
from typing import Literal, Self

Cause = Literal["late", "aborted"]


class Line:
    """Ends a wait for the server at any moment, also for one that sends a byte now and then.

    A time-out of a socket limits the wait for the next byte only.

    Args:
        seconds: after which it is cut.
    """

    def __init__(self, seconds: float) -> None:
        self.cause: Cause | None = None
        """Why it was cut, if it was."""
        self._lock = Lock()
        self._handle: socket.socket | None = None
        self._timer = Timer(seconds, self.cut, ["late"])
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def hold(self, connected: socket.socket) -> None:
        """Let `cut` end this connection.

        Raises:
            ConnectionAbortedError: it was cut already.
        """
        with self._lock:
            if self.cause is not None:
                raise ConnectionAbortedError
            # A descriptor of its own: TLS takes the socket over, and closing it may come first.
            self._handle = connected.dup()

    def cut(self, cause: Cause) -> None:
        """End the connection, and all that will be made."""
        with self._lock:
            self.cause = self.cause or cause
            if self._handle is not None:
                with suppress(OSError):  # the server has closed it
                    self._handle.shutdown(socket.SHUT_RDWR)
