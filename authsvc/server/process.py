"""What the master and the workers do when they start and end, under each server."""

import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from flask import Flask

from authsvc import database
from authsvc.database.sqlite_files import checkpoint, sqlite_file
from authsvc.mail.thread import SenderThread
from authsvc.monitoring.log_output import log_output, log_stream
from authsvc.monitoring.metrics_folder import (
    keep_after_this_process,
    make_metrics_folder,
    writable,
)
from authsvc.monitoring.shared_metrics import measure_as, share_metrics
from authsvc.server.boot_line import log_boot
from authsvc.settings import Settings
from authsvc.web import registry

# 24 requests with passwords may wait in a process (authsvc/users/hashing.py): 4 threads stay free.
THREADS = 28
"""Of each worker."""

BACKLOG = 256
"""Connections that wait to be accepted; the kernel refuses more."""

GRACEFUL_SECONDS = 10
"""How long requests in progress have when the service ends."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays: longer than the usual proxy's, which then closes first."""


def shared_memory() -> Path | None:
    """Return a folder in memory, for what must not wait for a disk; None if there is none."""
    return writable(Path("/dev/shm"))  # noqa: S108


def prepare(memory: Path | None) -> str:
    """Prepare the master before the app is made, and return the folder of the metrics.

    The master removes it when it ends, even if the boot stops.

    Args:
        memory: see `shared_memory`.
    """
    sys.stderr = log_stream  # warnings, wsgi.errors and others' handlers must not block either
    folder = make_metrics_folder(memory)
    share_metrics(folder)
    return folder


def log_start(app: Flask, server: str, workers: int, threads: int) -> None:
    """Log what has started, in the process that made the app."""
    with app.app_context():
        log_boot(registry.get(Settings), server, workers, threads)


def free_number(taken: Iterable[int]) -> int:
    """Return the lowest free number, under which a new worker writes its metrics.

    Numbers are reused, so there are never more metrics files than workers.
    """
    used = set(taken)
    return next(number for number in count(1) if number not in used)


def after_fork(app: Flask | None, number: int) -> None:
    """Prepare a new worker: processes must not share a database connection.

    Args:
        app: the app, if the master made it.
        number: the worker's.
    """
    keep_after_this_process()
    measure_as(number)
    log_output.dropped.count_in_this_process()
    if app is not None:
        with app.app_context():
            database.dispose(close=False)


def end_worker(app: Flask | None, sender: SenderThread | None) -> None:
    """Write the log, stop sending mail, and close the worker's database connections.

    SQLite's last connection removes the write-ahead log.
    """
    log_output.stop_writer()
    if sender is not None:
        sender.stop()
    if app is not None:
        with app.app_context():
            database.dispose()


def end_master(app: Flask | None) -> None:
    """Leave an SQLite database complete in one file, after the last worker has ended."""
    if app is not None:
        file = sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"])
        if file is not None:
            checkpoint(file)
