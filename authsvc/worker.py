"""gunicorn's worker with threads, which takes no more connections than it can serve soon."""

import socket

from gunicorn.workers.gthread import ThreadWorker


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

    def _is_busy(self) -> bool:
        """Whether as many requests wait as are being served."""
        idle = len(self.keepalived_conns) + len(self.pending_conns)
        return bool(self.nr_conns - idle >= 2 * self.cfg.threads)
