"""gunicorn's settings: ``gunicorn --config python:authsvc.gunicorn wsgi:app``.

Each can be overridden on the command line or in GUNICORN_CMD_ARGS.
"""

import os
import shutil
import sys
from itertools import count
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM
from socket import SO_RCVTIMEO, SOL_SOCKET
from struct import pack
from typing import Any

from gunicorn.glogging import Logger

from authsvc.server import garbage

garbage.pause()  # before the imports, which are most of the boot

from authsvc import database
from authsvc.database.sqlite_files import checkpoint, sqlite_file
from authsvc.monitoring.development import reloads
from authsvc.monitoring.log_format import gunicorn_logging
from authsvc.monitoring.log_output import log_output, log_stream
from authsvc.monitoring.metrics_folder import (
    keep_after_this_process,
    make_metrics_folder,
    writable,
)
from authsvc.monitoring.shared_metrics import forget_gauges, measure_as, share_metrics
from authsvc.server import port_check, reloading, worker_choice
from authsvc.server.boot_line import log_boot
from authsvc.server.cookie_lines import join_cookie_lines
from authsvc.server.cores import worker_count
from authsvc.server.mail_thread import start_sender
from authsvc.settings import Settings
from authsvc.web import registry

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = 1 if reloads() else worker_count()  # a developer must not meet the old code again
worker_class = worker_choice.worker_class()
# 24 requests with passwords may wait in a process (authsvc/users/hashing.py): 4 threads stay free.
threads = 28
backlog = 256  # connections that wait to be accepted; the kernel refuses more
graceful_timeout = 10  # seconds that requests in progress have at shutdown
keepalive = 75  # longer than the usual proxy's, so that the proxy closes first

# The master makes the app once: bad settings stop the boot instead of each worker. With --reload,
# each worker makes its own, from modules that may have changed.
preload_app = not reloads()

# AUTHSVC_TRUSTED_PROXIES alone decides which proxy headers are trusted.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""  # over a Unix socket gunicorn would accept SCRIPT_NAME and PATH_INFO

# Which requests are refused must not depend on whether gunicorn_h1c is installed.
http_parser = "python"

SILENT_SECONDS = 10


class NoAccessLog(Logger):  # type: ignore[misc]
    """gunicorn's logger without the access log: authsvc writes its own line for each request."""

    def access(self, *args: Any) -> None:
        """Do nothing: gunicorn would build the line and then discard it."""


logger_class = NoAccessLog
logconfig_dict = gunicorn_logging()
sys.stderr = log_stream  # warnings, wsgi.errors and others' handlers must not block either
control_socket_disable = True
SHARED_MEMORY = writable(Path("/dev/shm"))  # noqa: S108
if SHARED_MEMORY is not None:
    worker_tmp_dir = str(SHARED_MEMORY)  # a worker's heartbeat must not wait for a disk

# Before the app is made. The master removes the folder when it ends, even if the boot stops.
METRICS = make_metrics_folder(SHARED_MEMORY)
share_metrics(METRICS)


def when_ready(server: Any) -> None:
    if server.cfg.preload_app:
        _log_boot(server)
    garbage.resume()
    _time_out_silent_clients(server)


def _log_boot(process: Any) -> None:
    """Log what has started, in the process that made the app."""
    with process.app.wsgi().app_context():
        log_boot(registry.get(Settings), process.cfg.workers, process.cfg.threads)


def _time_out_silent_clients(server: Any) -> None:
    """Limit how long a client that stops sending within a request can hold a thread.

    gthread waits for the rest of a request without a limit. Accepted connections inherit this
    option from the listening socket; it does not affect idle ones between two requests.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, pack("ll", SILENT_SECONDS, 0))


def on_starting(server: Any) -> None:
    """Let workers that run as another user write metrics, and report what will not work."""
    log_output.follow_redirection()  # gunicorn may have become a daemon
    if (server.cfg.uid, server.cfg.gid) != (os.geteuid(), os.getegid()):  # systemd may forbid it
        os.chown(METRICS, server.cfg.uid, server.cfg.gid)
    if missing := worker_choice.missing_names():
        server.log.warning(
            "authsvc's worker was not tested with this gunicorn, which lacks %s: serving with "
            "plain gthread, which shares connections less evenly. Install the gunicorn version "
            "that requirements.txt names.",
            ", ".join(missing),
        )

    if used := port_check.wait_until_free(server.cfg.address):
        server.log.error(
            "authsvc cannot start: another program uses %s. Stop it, or choose another port, "
            "such as PORT=8001.",
            ", ".join(used),
        )
        sys.exit(1)


def worker_exit(server: Any, worker: Any) -> None:
    """Write the log, stop sending mail, and close the worker's database connections.

    SQLite's last connection removes the write-ahead log.
    """
    log_output.stop_writer()
    if worker.sender is not None:
        worker.sender.stop()
    if worker.app.callable is not None:
        with worker.app.callable.app_context():
            database.dispose()


def on_exit(server: Any) -> None:
    """Leave an SQLite database complete in one file, after the last worker has ended."""
    if server.app.callable is not None:
        file = sqlite_file(server.app.callable.config["SQLALCHEMY_DATABASE_URI"])
        if file is not None:
            checkpoint(file)


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker the lowest free number, under which it writes its metrics.

    Numbers are reused, so there are never more metrics files than workers.
    """
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count(1) if number not in taken)


def child_exit(server: Any, worker: Any) -> None:
    """Reset the gauges of a worker that has ended. With --reload, start again for new code."""
    forget_gauges(worker.number)
    # Without listening sockets, the master is about to stop.
    if server.cfg.reload and server.LISTENERS and reloading.own_code_changed():
        server.log.info("a module of authsvc was changed: starting again")
        server.kill_workers(SIGKILL)
        for listener in server.LISTENERS:
            listener.close()
        shutil.rmtree(METRICS, ignore_errors=True)
        reloading.start_again()


def post_fork(server: Any, worker: Any) -> None:
    """Prepare a new worker: processes must not share a database connection."""
    keep_after_this_process()
    measure_as(worker.number)
    log_output.dropped.count_in_this_process()
    if worker.cfg.preload_app:
        with worker.app.wsgi().app_context():
            database.dispose(close=False)
    worker.early_signals = server.SIG_QUEUE
    worker.sender = None


def post_worker_init(worker: Any) -> None:
    """Send mail, unless the worker received a signal to stop before it could handle signals.

    Until then the master's handlers, which the worker inherited, put signals into its copy of the
    master's queue, which the worker never reads. It would serve until the master kills it.
    """
    while not worker.early_signals.empty():
        if worker.early_signals.get() in (SIGINT, SIGQUIT, SIGTERM):
            worker.alive = False
    if worker.app.callable is None:  # with --reload: it cannot be loaded
        return
    if not worker.cfg.preload_app:
        _log_boot(worker)
    worker.sender = start_sender(worker.app.callable, lambda: worker.alive)
    if not worker.cfg.reload:  # otherwise a developer sees each line at once
        log_output.start_writer()


def pre_request(worker: Any, req: Any) -> None:
    """Read several Cookie lines of a request as one list."""
    join_cookie_lines(req.headers)
