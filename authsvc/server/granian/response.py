"""Send what a WSGI app returns through granian."""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import chain
from typing import Any
from wsgiref.types import WSGIEnvironment

from authsvc.server.granian.body import wait_for
from authsvc.web.connection import closes_after

_MORE = {"type": "http.response.body", "more_body": True}


class Response:
    """One response: `start` is its `start_response` (PEP 3333).

    Args:
        protocol: granian's side of the request.
        environ: the request's environment, in which a view may ask to close the connection.
        closes: whether the connection must be closed in any case.
    """

    def __init__(self, protocol: Any, environ: WSGIEnvironment, *, closes: bool) -> None:
        self._protocol = protocol
        self._environ = environ
        self._closes = closes
        self._head: dict[str, Any] = {}
        self._length: int | None = None
        self._written: list[bytes] = []
        self.is_started = False
        """Whether something was sent."""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> "Any":
        """Keep the status and the headers until the first piece of the body."""
        if exc_info and self.is_started:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._head and not exc_info:
            raise AssertionError("start_response was called twice")
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if self._closes or closes_after(status, self._environ):
            pairs.append((b"connection", b"close"))
        self._length = next(
            (int(value) for name, value in pairs if name.lower() == b"content-length"), None
        )
        self._head = {"type": "http.response.start", "status": int(status[:3]), "headers": pairs}
        return self._written.append

    def send(self, chunks: Iterable[bytes]) -> None:
        """Send the body: at once if it is one piece, else each piece when the app has it."""
        pieces = iter(chunks)
        first = next(pieces, b"")
        if self._written:
            pieces, first = chain([first], pieces), b"".join(self._written)
        if not self._head:
            raise AssertionError("start_response was not called")
        self.is_started = True
        self._protocol.send(self._head)
        if self._length == len(first):
            self._finish(first)
            return
        self._send_more(first)
        for piece in pieces:
            self._send_more(piece)
        self._finish(b"")

    def _send_more(self, piece: bytes) -> None:
        if piece:
            sent = self._protocol.send({**_MORE, "body": piece})
            if hasattr(sent, "add_done_callback"):  # the client reads more slowly than the app
                wait_for(sent)

    def _finish(self, piece: bytes) -> None:
        self._protocol.send({"type": "http.response.body", "body": piece})


def refuse(protocol: Any, status: int, text: str) -> None:
    """Send a plain text, and close the connection."""
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    protocol.send({"type": "http.response.start", "status": status, "headers": headers})
    body = f"{HTTPStatus(status).phrase}: {text}\n".encode()
    protocol.send({"type": "http.response.body", "body": body})
