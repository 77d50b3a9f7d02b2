"""gunicorn's worker with threads, which shares connections with the others and waits for nobody."""

import socket
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from time import monotonic
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

SILENT_SECONDS = 0.1
"""For how long a new connection on which nothing is said holds a thread. gunicorn's five seconds
let eight of them hold up everybody else. Where the kernel's queue is full, clients are half let
in, and such connections come from honest ones too."""

LINGER_SECONDS = 2.0
"""For how long a connection that was closed from here is kept for its client to close it too, so
that the answer arrives whole (RFC 9112 section 9.6). gunicorn does nothing else meanwhile."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves connections to the other workers and to the kernel's queue while it is busy.

    gunicorn's own takes all that come, and a connection stays with the worker that took it: one
    worker may have all of them while another has none. This one, while it is busy, takes one for
    each request that it finishes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: deque[TConn] = deque()
        self._served_since = False
        """Whether a request was finished since the last connection was taken."""

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi: WSGIApplication = _ClosedWhereRefused(self.wsgi)

    def accept(self, listener: socket.socket) -> None:
        before = self.nr_conns
        super().accept(listener)
        if self.nr_conns > before:  # no other worker was faster
            self._served_since = False
        if not self._has_room():
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called before each wait for something to do."""
        super().set_accept_enabled(enabled and self._has_room())

    def _has_room(self) -> bool:
        """Whether a thread is free, or one has come free for whoever waits longest.

        Clients who are already in, and never pause, must not keep the others out.
        """
        idle = len(self.keepalived_conns) + len(self.pending_conns) + len(self._lingering)
        return self._served_since or self.nr_conns - idle < self.cfg.threads

    def handle(self, conn: TConn) -> object:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return _DEFER  # it is watched without a thread from now on
        return super().handle(conn)

    def finish_request(self, conn: TConn, served: Future[object]) -> None:
        done = not served.cancelled() and served.exception() is None
        if done and served.result() is not _DEFER:
            self._served_since = True
        if done and not served.result():
            self._close(conn)
        else:
            super().finish_request(conn, served)

    def _close(self, conn: TConn) -> None:
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:  # the client has closed it
            self._forget(conn)
            return
        conn.timeout = monotonic() + LINGER_SECONDS
        self._lingering.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: TConn, sock: socket.socket) -> None:
        """Read what the client still sends, and see whether it has closed."""
        try:
            sent = sock.recv(65536)
        except OSError:
            sent = b""
        if not sent:
            self._lingering.remove(conn)
            self.poller.unregister(sock)
            self._forget(conn)

    def murder_pending(self) -> None:
        """Close what has waited long enough; called after each turn of the loop."""
        super().murder_pending()
        while self._lingering and self._lingering[0].timeout <= monotonic():
            conn = self._lingering.popleft()
            self.poller.unregister(conn.sock)
            self._forget(conn)

    def _forget(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()


class _ClosedWhereRefused:
    """WSGI middleware: whoever is told to come back comes over a new connection.

    Another worker may take that one, and have room.

    Args:
        app: the WSGI application that answers.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            if status.startswith("503"):
                start_response.__self__.force_close()  # type: ignore[attr-defined]
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)
