"""The master process: it holds the listening socket, and replaces workers that end.

granian's own master is not used. Its workers have a socket each, so that replacing one resets
connections; it ends when a worker is killed twice within seconds, and misses one that ends at the
wrong moment; and it starts workers while threads of its own run.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flask import Flask

from authsvc.monitoring.shared_metrics import forget_gauges
from authsvc.server import process
from authsvc.server.granian import sockets, worker
from authsvc.server.granian.child import Beats, Child
from authsvc.server.granian.signal_pipe import SignalPipe

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD)
WAKE_SECONDS = 1.0

BURST = 5
BURST_SECONDS = 5.0
"""At most so many workers in so many seconds are replaced at once: further ones wait."""

_log = logging.getLogger(__name__)


class Master:
    """Runs worker processes until a signal says to stop.

    Args:
        app: the app, which every worker inherits.
        listeners: the socket of each worker, or one that they share.
        workers: how many.
        threads: of each worker.
    """

    def __init__(
        self, app: Flask, listeners: list[socket.socket], workers: int, threads: int
    ) -> None:
        self._app = app
        self._listeners = listeners
        self._workers = workers
        self._threads = threads
        self._children: dict[int, Child] = {}
        self._replaced: deque[float] = deque(maxlen=BURST)

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or SIGQUIT. SIGHUP replaces the workers."""
        self._signals = SignalPipe(SIGNALS)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        for _ in range(self._workers):
            self._fork()
        while not (received := self._signals.wait(WAKE_SECONDS)) & {*worker.STOPS}:
            if signal.SIGHUP in received:
                self._replace_all()
            self._reap()
            self._kill_overdue()
            self._fill()
        self._stop()

    def _fork(self) -> None:
        number = process.free_number(child.number for child in self._children.values())
        listener = min(self._listeners, key=self._workers_on)
        beats = Beats()
        with _blocked():
            pid = os.fork()
            if pid == 0:
                self._become_worker(number, listener, beats)
            self._children[pid] = Child(pid, number, listener, beats)

    def _become_worker(self, number: int, listener: socket.socket, beats: Beats) -> NoReturn:
        status = 1
        try:
            self._signals.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            descriptor = os.dup(listener.fileno())
            for inherited in self._listeners:
                inherited.close()  # or they would listen for as long as this worker finishes
            process.after_fork(self._app, number)
            is_unix = listener.family == socket.AF_UNIX
            server = worker.Server(self._app, descriptor, is_unix=is_unix, threads=self._threads)
            server.run(beats.beat)
            status = 0
        except BaseException:
            _log.exception("a worker failed")
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _workers_on(self, listener: socket.socket) -> int:
        """Return how many workers accept from a socket, apart from those that stop."""
        return sum(
            child.listener is listener and child.kill_at is None
            for child in self._children.values()
        )

    def _replace_all(self) -> None:
        """Start new workers, and let the old ones finish: the sockets stay open all the time."""
        _log.info("SIGHUP: replacing the workers")
        for child in list(self._children.values()):
            if child.kill_at is None:
                self._ask_to_stop([child])
                self._fork()

    def _ask_to_stop(self, children: list[Child]) -> None:
        for child in children:
            child.kill_at = time.monotonic() + process.GRACEFUL_SECONDS
            os.kill(child.pid, signal.SIGTERM)

    def _reap(self) -> None:
        """Forget workers that have ended."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue  # a process that the operator's code started
            forget_gauges(child.number)
            code = os.waitstatus_to_exitcode(status)
            if child.kill_at is None or code:
                reason = f"by signal {-code}" if code < 0 else f"with status {code}"
                _log.error("worker %d (process %d) ended %s", child.number, pid, reason)

    def _kill_overdue(self) -> None:
        for child in self._children.values():
            if child.kill_at is not None and time.monotonic() > child.kill_at:
                _log.warning("worker %d did not stop in time: killing it", child.number)
                os.kill(child.pid, signal.SIGKILL)
                child.kill_at = float("inf")
            elif child.kill_at is None and child.is_stuck:
                _log.error("worker %d is stuck: killing it", child.number)
                os.kill(child.pid, signal.SIGKILL)

    def _fill(self) -> None:
        """Replace workers that have ended by themselves."""
        serving = sum(child.kill_at is None for child in self._children.values())
        for _ in range(self._workers - serving):
            now = time.monotonic()
            if len(self._replaced) == BURST and now - self._replaced[0] < BURST_SECONDS:
                return
            self._replaced.append(now)
            self._fork()

    def _stop(self) -> None:
        """Let requests in progress finish; a second signal ends them."""
        _log.info("stopping")
        sockets.close(self._listeners)
        self._ask_to_stop([child for child in self._children.values() if child.kill_at is None])
        while self._children:
            if self._signals.wait(WAKE_SECONDS) & {*worker.STOPS}:
                for child in self._children.values():
                    child.kill_at = 0.0
            self._reap()
            self._kill_overdue()


@contextmanager
def _blocked() -> Iterator[None]:
    """Keep signals pending until a new worker can handle them itself."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
