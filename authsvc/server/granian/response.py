"""Send what a WSGI app returns."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any
from wsgiref.types import WSGIEnvironment

from authsvc.server.granian.body import Body
from authsvc.server.granian.exchange import Exchange
from authsvc.server.granian.waiting import wait_for
from authsvc.web.connection import closes_after


class ClientGone(OSError):
    """The client closed the connection, or does not read what is sent."""


class Response:
    """One response: `start` is its `start_response` (PEP 3333).

    Args:
        exchange: the request.
        environ: its environment, in which a view may ask to close the connection.
        body: its body.
    """

    def __init__(self, exchange: Exchange, environ: WSGIEnvironment, body: Body) -> None:
        self._exchange = exchange
        self._environ = environ
        self._body = body
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._length: int | None = None
        self._written: list[bytes] = []
        self._is_watched = False
        self._is_gone = False
        self.is_started = False
        """Whether something was sent."""

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Keep the status and the headers until the first piece of the body."""
        if exc_info and self.is_started:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status is not None and not exc_info:
            raise AssertionError("start_response was called twice")
        self._status = int(status[:3])
        self._headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        self._length = next(
            (int(value) for name, value in headers if name.lower() == "content-length"), None
        )
        if self._body.must_close or closes_after(status, self._environ):
            self._headers.append((b"connection", b"close"))
        return self._written.append

    def send(self, chunks: Iterable[bytes]) -> None:
        """Send the body: at once if it is one piece, else each piece when the app has it.

        Raises:
            ClientGone: the client is not there for the whole of it.
        """
        pieces = iter(chunks)
        first = next(pieces, b"")
        if self._written:
            pieces, first = chain([first], pieces), b"".join(self._written)
        if self._status is None:
            raise AssertionError("start_response was not called")
        self.is_started = True
        self._exchange.send(self._status, self._headers)
        if self._length == len(first):
            self._exchange.send_piece(first, is_last=True)
            return
        for piece in chain([first], pieces):
            if piece:
                self._stream(piece)
        self._exchange.send_piece(b"", is_last=True)

    def _stream(self, piece: bytes) -> None:
        if not self._is_watched and self._body.is_over:
            self._is_watched = True
            self._watch()
        if self._is_gone:
            raise ClientGone
        sent = self._exchange.send_piece(piece, is_last=False)
        if hasattr(sent, "add_done_callback"):  # the client reads more slowly than the app writes
            try:
                wait_for(sent)
            except TimeoutError:
                raise ClientGone from None

    def _watch(self) -> None:
        """Find out if the client closes the connection: sending does not tell it."""
        self._exchange.protocol.receive().add_done_callback(self._received)

    def _received(self, future: Any) -> None:
        if future.result()["type"] == "http.disconnect":
            self._is_gone = True
        elif self._exchange.protocol is not None:
            self._watch()
