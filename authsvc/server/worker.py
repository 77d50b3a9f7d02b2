"""gunicorn's worker with threads, changed: a busy one leaves connections to the others, and clients
that do not pause keep their threads.
"""

import select
import socket
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from time import monotonic, sleep
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.util import make_fail_app
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from authsvc.server.reloading import traceback_of
from authsvc.web.connection import closes_after

SILENT_SECONDS = 0.1
"""How long a new connection that sends nothing may hold a thread. With gunicorn's five seconds,
eight such connections blocked every other client. Honest clients open them too: when the kernel's
queue is full, a client may believe that it is connected before the server is."""

SHARE = 4
YIELD_SECONDS = 0.002
"""A worker with `SHARE` busy connections waits so long before it accepts another, so that a worker
with fewer is faster: otherwise one of them could take a whole burst, which then has one core."""

PAUSE_SECONDS = 0.002
"""How long a thread waits for the next request of a client that it has just answered. Otherwise
gunicorn's main thread waits for it and wakes a thread, a sixth of the cost of a short request."""

LINGER_SECONDS = 2.0
"""How long the worker keeps a connection that it has closed, until the client closes it too, so
that the client reads the whole response (RFC 9112 section 9.6). gunicorn blocks a thread on it."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leave connections to the other workers and to the kernel's queue while every thread is busy.

    gunicorn's own worker accepts every connection, and a connection stays with the worker that
    accepted it: one worker may hold all of them while another is idle. This worker, while it is
    busy, accepts one connection for each request that it finishes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: deque[TConn] = deque()
        self._finished_since_accept = False
        """Whether a request was finished since the last connection was accepted."""

    def load_wsgi(self) -> None:
        try:
            super().load_wsgi()
        except Exception as error:
            if self.reloader is None:
                raise
            self._show(error)
        self.wsgi: WSGIApplication = _CloseWhenAsked(self.wsgi)

    def _show(self, error: Exception) -> None:
        """With --reload: answer with the traceback until one of its files is changed."""
        self.log.exception("the app cannot be loaded: correct it, and it is loaded again")
        text, files = traceback_of(error)
        for file in files:
            self.reloader.add_extra_file(file)
        self.wsgi = make_fail_app(text)

    def accept(self, listener: socket.socket) -> None:
        if self._busy() >= SHARE:
            sleep(YIELD_SECONDS)
        before = self.nr_conns
        super().accept(listener)
        if self.nr_conns > before:  # no other worker was faster
            self._finished_since_accept = False
        if not self._has_room():
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept only while there is room. gunicorn calls this before each wait for events."""
        super().set_accept_enabled(enabled and self._has_room())

    def _has_room(self) -> bool:
        """Return whether a thread is free, or one was freed for the connection that waits longest.

        Connected clients that never pause must not keep new ones out.
        """
        return self._finished_since_accept or self._busy() < self.cfg.threads

    def _busy(self) -> int:
        """Return the number of connections that hold a thread or are about to."""
        idle = len(self.keepalived_conns) + len(self.pending_conns) + len(self._lingering)
        return int(self.nr_conns) - idle

    def handle(self, conn: TConn) -> object:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return _DEFER  # from now on the poller watches it, without a thread
        result = super().handle(conn)
        while result and result is not _DEFER and self._goes_on(conn):
            result = super().handle(conn)
        return result

    def _goes_on(self, conn: TConn) -> bool:
        """Return whether the client sends its next request at once, and no thread is missed."""
        if self._busy() >= self.cfg.threads or not self.alive:
            return False
        if conn.parser.unreader.buf.getvalue():  # it was received already
            return True
        poller = select.poll()
        poller.register(conn.sock, select.POLLIN)
        return bool(poller.poll(PAUSE_SECONDS * 1000))

    def finish_request(self, conn: TConn, handled: Future[object]) -> None:
        done = not handled.cancelled() and handled.exception() is None
        if done and handled.result() is not _DEFER:
            self._finished_since_accept = True
        if done and not handled.result():
            self._close(conn)
        else:
            super().finish_request(conn, handled)

    def _close(self, conn: TConn) -> None:
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:  # the client has closed it
            self._release(conn)
            return
        conn.timeout = monotonic() + LINGER_SECONDS
        self._lingering.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: TConn, sock: socket.socket) -> None:
        """Discard what the client still sends, and release the connection once it has closed."""
        try:
            received = sock.recv(65536)
        except OSError:
            received = b""
        if not received:
            self._lingering.remove(conn)
            self.poller.unregister(sock)
            self._release(conn)

    def murder_pending(self) -> None:
        """Close connections whose time has expired. gunicorn calls this after each wait."""
        super().murder_pending()
        while self._lingering and self._lingering[0].timeout <= monotonic():
            conn = self._lingering.popleft()
            self.poller.unregister(conn.sock)
            self._release(conn)

    def _release(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


class _CloseWhenAsked:
    """WSGI middleware that closes the connection after a 503, and when a view asks for it.

    Args:
        app: the WSGI application.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            if closes_after(status, environ):
                start_response.__self__.force_close()  # type: ignore[attr-defined]
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)
