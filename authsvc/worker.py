"""gunicorn's worker with threads, which takes no more connections than it can serve soon."""

import socket

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

SILENT_SECONDS = 0.1
"""For how long a new connection on which nothing is said holds a thread. gunicorn's five seconds
let eight of them hold up everybody else. Where the kernel's queue is full, clients are half let
in, and such connections come from honest ones too."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves new connections to the other workers and to the kernel's queue while it is busy.

    gunicorn's own takes all that come, and a connection stays with the worker that took it. So
    one worker may have all of them while another has none, and under overload a thousand wait
    in each worker, which nobody can see and none of which can be refused.
    """

    def accept(self, listener: socket.socket) -> None:
        super().accept(listener)
        if self._is_busy():
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called as often as a request is finished."""
        super().set_accept_enabled(enabled and not self._is_busy())

    def handle(self, conn: TConn) -> object:
        if not conn.initialized and not conn.wait_for_data(SILENT_SECONDS):
            return _DEFER  # it is watched without a thread from now on
        return super().handle(conn)

    def _is_busy(self) -> bool:
        """Whether as many requests wait as are being served."""
        idle = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - idle >= 2 * self.cfg.threads)
