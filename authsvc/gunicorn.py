"""gunicorn's settings: ``gunicorn --config python:authsvc.gunicorn wsgi:app``.

Each can be overridden on the command line or in GUNICORN_CMD_ARGS.
"""

import gc
import os
from itertools import count
from pathlib import Path
from signal import SIGINT, SIGQUIT, SIGTERM
from socket import SO_RCVTIMEO, SOL_SOCKET
from struct import pack
from typing import Any

from gunicorn.glogging import Logger

from authsvc.database import db
from authsvc.monitoring.log_format import gunicorn_logging
from authsvc.monitoring.metrics_folder import make_metrics_folder, outlive_this_process
from authsvc.monitoring.shared_metrics import forget_gauges, measure_as, share_metrics

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = len(os.sched_getaffinity(0))
worker_class = "authsvc.server.worker.Worker"
threads = 4
backlog = 256  # connections that wait to be taken; more are not let in
graceful_timeout = 10  # seconds that requests under way have when it is told to end
keepalive = 75  # longer than the usual proxy's, so that the proxy is the one who closes

# The app is made once, in the master: bad settings stop the boot instead of each worker's.
preload_app = True

# What a proxy says is believed by AUTHSVC_TRUSTED_PROXIES alone.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""  # gunicorn would take SCRIPT_NAME and PATH_INFO over a Unix socket

# What is refused on the wire must not depend on whether gunicorn_h1c happens to be installed.
http_parser = "python"

SILENT_SECONDS = 10


class NoAccessLog(Logger):  # type: ignore[misc]
    """gunicorn's own logger, but for the line about each request, which authsvc writes itself."""

    def access(self, *about: Any) -> None:
        """Build nothing: gunicorn would, and then throw it away."""


logger_class = NoAccessLog
logconfig_dict = gunicorn_logging()
control_socket_disable = True
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
if SHARED_MEMORY.is_dir():
    worker_tmp_dir = str(SHARED_MEMORY)  # a worker's heartbeat must not wait for a disk

# Before the app is made. The folder goes with the master, also where the boot is stopped.
METRICS = make_metrics_folder(SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
share_metrics(METRICS)


def when_ready(server: Any) -> None:
    _share_memory()
    _end_silence(server)


def _share_memory() -> None:
    """What is there before the workers fork stays shared: their collectors leave it alone."""
    gc.collect()
    gc.freeze()


def _end_silence(server: Any) -> None:
    """A client that falls silent within a request must not hold a thread for ever.

    gthread waits for the rest of a request without an end. Accepted connections inherit this
    from the socket that listens; idle ones between two requests are not concerned.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, pack("ll", SILENT_SECONDS, 0))


def on_starting(server: Any) -> None:
    """Workers that run as another user must be able to count."""
    if (server.cfg.uid, server.cfg.gid) != (os.geteuid(), os.getegid()):  # systemd may forbid it
        os.chown(METRICS, server.cfg.uid, server.cfg.gid)


def pre_fork(server: Any, worker: Any) -> None:
    """Each worker counts under a number; that of one that has ended is given again.

    So there are never more files than workers, however many have come and gone.
    """
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in count(1) if number not in taken)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker was doing when it ended is no longer being done."""
    forget_gauges(worker.number)


def post_fork(server: Any, worker: Any) -> None:
    """Connections must not be shared between processes: each worker opens its own."""
    outlive_this_process()
    measure_as(worker.number)
    with worker.app.wsgi().app_context():
        db.engine.dispose(close=False)
    worker.heard = server.SIG_QUEUE


def post_worker_init(worker: Any) -> None:
    """A worker that was told to end before it listened to signals ends all the same.

    Until then it hears with the master's ears, and they go to its copy of the master's queue, where
    nobody looks. It would serve on until it is killed in the middle of its requests.
    """
    while not worker.heard.empty():
        if worker.heard.get() in (SIGINT, SIGQUIT, SIGTERM):
            worker.alive = False
