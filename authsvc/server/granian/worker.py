"""A worker process: granian's threads receive requests and call the app."""

import atexit
import os
import signal
import socket
import sys
from collections.abc import Callable
from threading import Event
from time import sleep
from typing import Any

from flask import Flask
from granian import _granian
from granian.http import HTTP1Settings

from authsvc.monitoring.log_output import log_output
from authsvc.server import process
from authsvc.server.granian.signal_pipe import SignalPipe
from authsvc.server.granian.transport import Transport
from authsvc.server.granian.waiting import Loop
from authsvc.server.mail_thread import start_sender

# Its type stubs do not describe all of it.
ASGIWorker: Any = _granian.ASGIWorker
CallbackScheduler: Any = _granian.CallbackScheduler
SocketHolder: Any = _granian.SocketHolder
WorkerSignal: Any = _granian.WorkerSignal

MAX_CONNECTIONS = 1000
"""Of each worker, idle ones included. Further ones wait in the kernel's queue."""

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers together; more is refused with 431."""

LAST_SECONDS = 0.5
"""How long a worker that stops still reads requests from connections that it has accepted."""

IDLE_THREAD_SECONDS = 30
BEAT_SECONDS = 1.0
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Server:
    """Serves the app in this process.

    Args:
        app: the app.
        descriptor: the listening socket's, which is closed in the end.
        is_unix: whether it is a Unix socket.
        threads: in how many threads the app may be called at once.
    """

    def __init__(self, app: Flask, descriptor: int, *, is_unix: bool, threads: int) -> None:
        self._app = app
        self._descriptor = descriptor
        self._is_unix = is_unix
        self._threads = threads
        self._transport = Transport(app, threads)
        self._stop = WorkerSignal()
        self._has_ended = Event()

    def run(self, beat: Callable[[], None]) -> None:
        """Serve until a signal says to stop, or the master is gone; then finish what is begun.

        Args:
            beat: is called every second by a worker that is not stuck.
        """
        signals = SignalPipe(STOPS)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOPS, signal.SIGCHLD, signal.SIGHUP))
        sender = start_sender(self._app, lambda: not self._transport.is_stopping)
        log_output.start_writer()
        self._start()
        master = os.getppid()
        while not signals.wait(BEAT_SECONDS) and os.getppid() == master:
            beat()
        self._transport.is_stopping = True
        self._stop_accepting()
        sleep(LAST_SECONDS)
        self._stop.set()
        while not self._has_ended.wait(BEAT_SECONDS):
            beat()
        process.end_worker(self._app, sender)
        atexit._run_exitfuncs()  # a forked process that ends by os._exit skips them

    def _start(self) -> None:
        """Start granian's threads, which call the transport."""
        self._stop.add_cb(self._has_ended.set)
        loop = Loop()
        scheduler = CallbackScheduler(loop, None, None, None, None)
        scheduler._schedule_fn = self._transport
        # granian calls listen() on the socket again.
        backlog = [process.BACKLOG] if sys.platform.startswith(("linux", "freebsd")) else []
        worker = ASGIWorker(
            0,
            (None, SocketHolder(self._descriptor, self._is_unix, *backlog)),
            None,
            threads=1,
            py_threads=self._threads,
            py_threads_idle_timeout=IDLE_THREAD_SECONDS,
            backpressure=MAX_CONNECTIONS,
            http_mode="1",
            http1_opts=HTTP1Settings(
                header_read_timeout=process.KEEP_ALIVE_SECONDS * 1000, max_buffer_size=MAX_HEAD
            ),
        )
        serve = worker.serve_mtr_uds if self._is_unix else worker.serve_mtr
        serve(scheduler, loop, self._stop)

    def _stop_accepting(self) -> None:
        """Leave new connections to other workers, or to the master, which refuses them.

        granian stops to accept only when it closes the connections that are idle, also those whose
        first request is on its way. So it goes on, on a socket that no client knows.
        """
        if sys.platform != "linux":
            return
        with socket.socket(socket.AF_UNIX) as unknown:
            unknown.bind("")  # the kernel makes up a name
            unknown.listen(1)
            unknown.setblocking(False)
            os.dup2(unknown.fileno(), self._descriptor)
