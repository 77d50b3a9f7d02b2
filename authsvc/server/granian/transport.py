"""Call the WSGI app for each request that granian received, in one of granian's threads.

granian's own WSGI interface is not used: it puts the process' environment, with our secrets, into
each request's, replaces header values that are not ASCII by empty ones, does not distinguish a
header's `-` from `_`, takes a body that was cut for a whole one, and lets a silent client hold a
thread for ever. Its ASGI interface tells all that, and calls us in a thread of the same pool.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from authsvc.server.granian.body import Body
from authsvc.server.granian.environ import BadRequest, environ_of
from authsvc.server.granian.exchange import Exchange
from authsvc.server.granian.receiving import MAX_BUFFERED, MAX_DISCARDED, Pieces, Upload
from authsvc.server.granian.response import ClientGone, Response
from authsvc.server.granian.waiting import Deadlines
from authsvc.web.connection import CLOSES

_log = logging.getLogger(__name__)

ASKED_BY_PROXY = "/auth/verify"
"""The route, and those below it."""


class Transport:
    """Turns granian's requests into calls of a WSGI app.

    Args:
        app: the app.
        threads: the threads in which granian calls it. Some stay free of long uploads: without
            them granian could not pass on what arrives.
    """

    def __init__(self, app: WSGIApplication, threads: int) -> None:
        self._app = app
        self.is_stopping = False
        """Whether the worker is about to end: each response then closes its connection."""
        self._calls: deque[None] = deque()
        """One element for each call of the app: unlike a number, it needs no lock."""
        self._deadlines = Deadlines(lambda: len(self._calls) >= threads)
        self._uploads = BoundedSemaphore(max(1, threads // 2))
        # Calls the app for clients that fell silent: no thread of granian's is at hand then.
        self._silent = ThreadPoolExecutor(2, "silent")

    def __call__(self, watcher: Any) -> None:
        """Answer a request. It must not raise: granian could not report it."""
        exchange = Exchange(watcher)
        del watcher
        try:
            self._receive(exchange)
        except BaseException:
            _log.exception("a request failed in the server")
            exchange.release()  # granian answers with 500

    def _receive(self, exchange: Exchange) -> None:
        try:
            environ = environ_of(exchange.scope)
        except BadRequest as error:
            exchange.refuse(400, str(error))
            return
        length = environ.get("CONTENT_LENGTH", "")
        if length in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
            self._call(exchange, environ, Body())
            exchange.release()
        elif _is_for_another_service(environ):
            self._stream(exchange, environ, b"", int(length) if length else None)
        elif length and int(length) > MAX_BUFFERED:
            self._upload(exchange, environ, b"", int(length))
        else:
            self._pieces(exchange, MAX_BUFFERED, partial(self._received, environ)).receive()

    def _pieces(
        self, exchange: Exchange, limit: int, ended: Callable[[Pieces], None] | None
    ) -> Pieces:
        return Pieces(exchange, self._deadlines, self._silent, limit, ended)

    def _received(self, environ: WSGIEnvironment, pieces: Pieces) -> None:
        head = b"".join(pieces.data)
        if pieces.is_long:
            self._upload(pieces.exchange, environ, head, None)
        else:
            self._call(pieces.exchange, environ, Body(head, is_cut=pieces.is_cut))
            pieces.exchange.release()

    def _upload(
        self, exchange: Exchange, environ: WSGIEnvironment, head: bytes, length: int | None
    ) -> None:
        """Call the app for a body that it reads while it arrives."""
        if not self._uploads.acquire(blocking=False):
            exchange.refuse(503, "Too many uploads at once. Try again.")
            return
        try:
            self._stream(exchange, environ, head, length)
        finally:
            self._uploads.release()

    def _stream(
        self, exchange: Exchange, environ: WSGIEnvironment, head: bytes, length: int | None
    ) -> None:
        """Call the app, and discard what it did not read."""
        upload = Upload(exchange, length, is_asked_for="HTTP_EXPECT" in environ and not head)
        self._call(exchange, environ, Body(head, upload))
        if upload.is_over or upload.is_asked_for:
            exchange.release()
        else:
            self._pieces(exchange, MAX_DISCARDED, None).receive()

    def _call(self, exchange: Exchange, environ: WSGIEnvironment, body: Body) -> None:
        environ["wsgi.input"] = body
        if self.is_stopping:
            environ[CLOSES] = True
        response = Response(exchange, environ, body)
        chunks: Iterable[bytes] | None = None
        self._calls.append(None)
        try:
            chunks = self._app(environ, response.start)
            response.send(chunks)
        except ClientGone:
            _log.info("a client was gone before the end of a response")
        except BaseException:
            _log.exception("the app raised an error")
            if not response.is_started:
                exchange.refuse(500, "Internal server error.")
        finally:
            self._calls.pop()
            if chunks is not None and hasattr(chunks, "close"):
                chunks.close()


def _is_for_another_service(environ: WSGIEnvironment) -> bool:
    """Return whether a proxy asks about a request, whose body it may announce and not send.

    The app reads the body only if it is JSON and could be all that has an access token.
    """
    return ASKED_BY_PROXY in environ["PATH_INFO"] and (
        "HTTP_AUTHORIZATION" in environ
        or "json" not in environ.get("CONTENT_TYPE", "")
        or not 0 < int(environ.get("CONTENT_LENGTH", "0")) <= MAX_BUFFERED
    )
