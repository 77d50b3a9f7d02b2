"""Call the WSGI app for each request that granian received, in one of granian's threads.

granian's own WSGI interface is not used: it puts the process' environment, with our secrets, into
each request's, replaces header values that are not ASCII by empty ones, does not distinguish a
header's `-` from `_`, takes a body that was cut for a whole one, and lets a silent client hold a
thread for ever. Its ASGI interface tells all that, and calls us in a thread of the same pool.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from authsvc.server.granian.body import MAX_BUFFERED, BodyEnded, Deadlines, Received, wait_for
from authsvc.server.granian.environ import BadRequest, environ_of
from authsvc.server.granian.response import Response, refuse

_log = logging.getLogger(__name__)

_NO_BODY = Received(b"", None, cut=False)


class Transport:
    """Turns granian's requests into calls of a WSGI app.

    Args:
        app: the app.
        threads: the threads in which granian calls it. Some stay free of long uploads: without
            them granian could not pass on what arrives.
    """

    def __init__(self, app: WSGIApplication, threads: int) -> None:
        self._app = app
        self._deadlines = Deadlines()
        self._uploads = BoundedSemaphore(max(1, threads // 2))
        # For requests whose body does not arrive: no thread of granian's is at hand then.
        self._without_body = ThreadPoolExecutor(2, "silent")

    def __call__(self, watcher: Any) -> None:
        """Answer a request. It must not raise: granian could not report it."""
        try:
            self._receive(watcher.scope, watcher.proto)
        except BaseException:
            _log.exception("a request failed in the server")
            watcher.done()  # granian answers with 500

    def _receive(self, scope: dict[str, Any], protocol: Any) -> None:
        try:
            environ = environ_of(scope)
        except BadRequest as error:
            refuse(protocol, 400, str(error))
            return
        length = environ.get("CONTENT_LENGTH", "")
        if not length and "HTTP_TRANSFER_ENCODING" not in environ:
            environ["wsgi.input"] = _NO_BODY
            self._call(environ, protocol)
        elif length and int(length) > MAX_BUFFERED:
            self._upload(environ, protocol, b"")
        else:
            _Buffering(protocol, self._deadlines, self._without_body, self._with(environ)).go_on()

    def _with(self, environ: WSGIEnvironment) -> "Callable[[_Buffering], None]":
        def received(body: _Buffering) -> None:
            if body.is_long:
                self._upload(environ, body.protocol, body.data)
            else:
                environ["wsgi.input"] = Received(body.data, None, cut=body.is_cut)
                self._call(environ, body.protocol, closes=body.is_cut)

        return received

    def _upload(self, environ: WSGIEnvironment, protocol: Any, head: bytes) -> None:
        """Call the app for a body that it reads while it arrives."""
        if not self._uploads.acquire(blocking=False):
            refuse(protocol, 503, "Too many uploads at once. Try again.")
            return
        try:
            upload = _Upload(protocol)
            environ["wsgi.input"] = Received(head, upload.next_piece, cut=False)
            self._call(environ, protocol)
        finally:
            self._uploads.release()

    def _call(self, environ: WSGIEnvironment, protocol: Any, *, closes: bool = False) -> None:
        response = Response(protocol, environ, closes=closes)
        chunks: Iterable[bytes] | None = None
        try:
            chunks = self._app(environ, response.start)
            response.send(chunks)
        except BaseException:
            _log.exception("the app raised an error")
            if not response.is_started:
                refuse(protocol, 500, "Internal server error.")
        finally:
            if chunks is not None and hasattr(chunks, "close"):
                chunks.close()


class _Buffering:
    """Receives a short body piece by piece, each in whichever thread granian brings it.

    Args:
        protocol: granian's side of the request.
        deadlines: give up if the client falls silent.
        pool: calls the app then.
        received: is called when the body is complete, cut or longer than what is buffered.
    """

    def __init__(
        self,
        protocol: Any,
        deadlines: Deadlines,
        pool: ThreadPoolExecutor,
        received: "Callable[[_Buffering], None]",
    ) -> None:
        self.protocol = protocol
        self.data = b""
        self.is_cut = False
        self.is_long = False
        self._deadlines = deadlines
        self._pool = pool
        self._received = received

    def go_on(self) -> None:
        """Wait for the next piece, without a thread."""
        future = self.protocol.receive()
        self._deadlines.add(id(self), lambda: self._give_up(future))
        future.add_done_callback(self._arrived)

    def _give_up(self, future: Any) -> None:
        if future.cancel():
            self.is_cut = True
            self._pool.submit(self._received, self)

    def _arrived(self, future: Any) -> None:
        if future.cancelled():
            return
        self._deadlines.remove(id(self))
        message = future.result()
        self.data += message.get("body", b"")
        self.is_cut = message["type"] != "http.request"
        self.is_long = len(self.data) > MAX_BUFFERED
        if not self.is_cut and not self.is_long and message["more_body"]:
            self.go_on()
        else:
            self._received(self)


class _Upload:
    """Receives the rest of a long body, in the thread of the app."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def next_piece(self) -> bytes:
        """Return the next piece, or an empty one at the end.

        Raises:
            BodyEnded: the client closed the connection or fell silent.
        """
        while True:
            try:
                message = wait_for(self._protocol.receive())
            except TimeoutError:
                raise BodyEnded from None
            if message["type"] != "http.request":
                raise BodyEnded
            if message["body"] or not message["more_body"]:
                return bytes(message["body"])
