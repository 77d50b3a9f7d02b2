"""gunicorn's worker with threads, which takes no more connections than it can serve soon."""

import socket
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

SILENT_SECONDS = 0.1
"""For how long a new connection on which nothing is said holds a thread. gunicorn's five seconds
let eight of them hold up everybody else. Where the kernel's queue is full, clients are half let
in, and such connections come from honest ones too."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves connections to the other workers and to the kernel's queue while it is busy.

    gunicorn's own takes all that come, and a connection stays with the worker that took it. So
    one worker may have all of them while another has none, and under overload a thousand wait
    in each worker, which nobody can see and none of which can be refused.
    """

    _served_since = False
    """Whether a request was finished since the last connection was taken."""

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi: WSGIApplication = _ClosedWhereRefused(self.wsgi)

    def accept(self, listener: socket.socket) -> None:
        super().accept(listener)
        self._served_since = False
        if not self._has_room():
            self.set_accept_enabled(False)

    def finish_request(self, conn: TConn, served: Future[object]) -> None:
        super().finish_request(conn, served)
        self._served_since = True

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called before each wait for something to do."""
        super().set_accept_enabled(enabled and self._has_room())

    def handle(self, conn: TConn) -> object:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return _DEFER  # it is watched without a thread from now on
        return super().handle(conn)

    def _has_room(self) -> bool:
        """Whether a thread is free, or one has come free for whoever waits longest.

        Clients who are already in, and never pause, must not keep the others out.
        """
        idle = len(self.keepalived_conns) + len(self.pending_conns)
        return self._served_since or self.nr_conns - idle < self.cfg.threads


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
