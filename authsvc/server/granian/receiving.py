"""Receive bodies: short ones before the app is called, long ones while it reads them."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from authsvc.server.granian.body import BodyEnded
from authsvc.server.granian.exchange import Exchange
from authsvc.server.granian.waiting import Deadlines, wait_for

MAX_BUFFERED = 64 * 1024
"""Bytes of a body that are received before the app is called. Of a longer body, the app reads the
rest while it holds a thread."""

MAX_DISCARDED = 4 * 1024 * 1024
"""Bytes that the app has not read and that are received nevertheless, so that the client sees the
response and can go on with the connection; if more are left, it is closed."""


class Pieces:
    """Receives a body piece by piece, each in whichever thread granian brings it.

    No thread waits for them.

    Args:
        exchange: the request.
        deadlines: give up if the client falls silent.
        pool: calls `ended` then, since no thread of granian's is at hand.
        limit: bytes after which it stops.
        ended: is called when the body is complete, cut or longer than the limit; None if it is
            to be discarded.
    """

    def __init__(
        self,
        exchange: Exchange,
        deadlines: Deadlines,
        pool: Executor,
        limit: int,
        ended: "Callable[[Pieces], None] | None",
    ) -> None:
        self.exchange = exchange
        self.data: list[bytes] = []
        self.is_cut = False
        self._deadlines = deadlines
        self._pool = pool
        self._left = limit
        self._ended = ended

    @property
    def is_long(self) -> bool:
        return self._left < 0

    def receive(self) -> None:
        """Ask granian for the next piece, and return."""
        future = self.exchange.protocol.receive()
        self._deadlines.add(id(self), lambda: self._give_up(future))
        future.add_done_callback(self._arrived)

    def _give_up(self, future: Any) -> None:
        if not future.cancel():
            return  # something arrived in the last moment
        self.is_cut = True
        if self._ended is None:
            self.exchange.release()
        else:
            self._pool.submit(self._ended, self)

    def _arrived(self, future: Any) -> None:
        if future.cancelled():
            return
        self._deadlines.remove(id(self))
        message = future.result()
        self.is_cut = message["type"] != "http.request"
        if not self.is_cut:
            if self._ended is not None:
                self.data.append(message["body"])
            self._left -= len(message["body"])
            if message["more_body"] and not self.is_long:
                self.receive()
                return
        if self._ended is None:
            self.exchange.release()
        else:
            self._ended(self)


class Upload:
    """Receives a long body, in the thread of the app.

    Args:
        exchange: the request.
        left: how many bytes are to come; None if the client did not declare it.
        is_asked_for: whether the client waits for ``100 Continue``, which the first read sends.
    """

    def __init__(self, exchange: Exchange, left: int | None, *, is_asked_for: bool) -> None:
        self._exchange = exchange
        self._left = left
        self.is_asked_for = is_asked_for
        self.is_over = False

    def next_piece(self) -> bytes:
        """Return the next piece, or an empty one at the end.

        Raises:
            BodyEnded: the client closed the connection or fell silent.
        """
        self.is_asked_for = False
        while not self.is_over:
            try:
                message = wait_for(self._exchange.protocol.receive())
            except TimeoutError:
                message = {"type": "silence"}
            if message["type"] != "http.request":
                self.is_over, self._left = True, MAX_DISCARDED + 1
                raise BodyEnded
            self.is_over = not message["more_body"]
            if self._left is not None:
                self._left -= len(message["body"])
            if message["body"]:
                return bytes(message["body"])
        return b""

    @property
    def must_close(self) -> bool:
        """Return whether the connection must be closed if the app reads no more."""
        return not self.is_over and (self.is_asked_for or (self._left or 0) > MAX_DISCARDED)
