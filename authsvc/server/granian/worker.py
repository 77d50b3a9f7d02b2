"""A worker process: granian's threads receive requests and call the app."""

import atexit
import os
import signal
import socket
import sys
from collections.abc import Callable
from threading import Event
from typing import Any

from flask import Flask
from granian import _granian
from granian.http import HTTP1Settings

from authsvc.server import process
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

IDLE_THREAD_SECONDS = 30
BEAT_SECONDS = 1.0
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def run(app: Flask, listener: socket.socket, threads: int, beat: Callable[[], None]) -> None:
    """Serve until a signal says to stop, or the master is gone; then finish what is in progress.

    Args:
        app: the app.
        listener: the socket that all workers share.
        threads: in how many threads the app may be called at once.
        beat: is called every second by a worker that is not stuck.
    """
    stop, ended = WorkerSignal(), Event()
    stopping = Event()

    def ask_to_stop(*_: object) -> None:
        if not stopping.is_set():  # granian would wait for ever at the third call
            stopping.set()
            stop.set()

    for number in STOPS:
        signal.signal(number, ask_to_stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOPS, signal.SIGCHLD, signal.SIGHUP))
    sender = start_sender(app, lambda: not stopping.is_set())
    stop.add_cb(ended.set)
    _start(Transport(app, threads), listener, threads, stop)
    master = os.getppid()
    while not ended.wait(BEAT_SECONDS):
        beat()
        if os.getppid() != master:
            ask_to_stop()
    process.end_worker(app, sender)
    atexit._run_exitfuncs()  # a forked process that ends by os._exit skips them


def _start(transport: Transport, listener: socket.socket, threads: int, stop: Any) -> None:
    """Start granian's threads, which call the transport, and return."""
    loop = Loop()
    scheduler = CallbackScheduler(loop, None, None, None, None)
    scheduler._schedule_fn = transport
    is_unix = listener.family == socket.AF_UNIX
    # granian closes this descriptor when it stops accepting, and calls listen() on it again.
    backlog = [process.BACKLOG] if sys.platform.startswith(("linux", "freebsd")) else []
    holder = SocketHolder(os.dup(listener.fileno()), is_unix, *backlog)
    worker = ASGIWorker(
        0,
        (None, holder),
        None,
        threads=1,
        py_threads=threads,
        py_threads_idle_timeout=IDLE_THREAD_SECONDS,
        backpressure=MAX_CONNECTIONS,
        http_mode="1",
        http1_opts=HTTP1Settings(
            header_read_timeout=process.KEEP_ALIVE_SECONDS * 1000, max_buffer_size=MAX_HEAD
        ),
    )
    serve = worker.serve_mtr_uds if is_unix else worker.serve_mtr
    serve(scheduler, loop, stop)
