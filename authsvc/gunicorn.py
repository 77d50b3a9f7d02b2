"""gunicorn's settings: ``gunicorn --config python:authsvc.gunicorn wsgi:app``.

Each can be overridden on the command line or in GUNICORN_CMD_ARGS.
"""

import os
import shutil
import sys
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET
from struct import pack
from typing import Any

from gunicorn.glogging import Logger

from authsvc.server import garbage

garbage.pause()  # before the imports, which are most of the boot

from authsvc.monitoring.development import reloads
from authsvc.monitoring.log_format import server_logging
from authsvc.monitoring.log_output import log_output
from authsvc.monitoring.shared_metrics import forget_gauges
from authsvc.server import allocator, port_check, process, reloading, worker_choice
from authsvc.server.cookie_lines import join_cookie_lines
from authsvc.server.cores import worker_count
from authsvc.server.mail_thread import start_sender

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = 1 if reloads() else worker_count()  # a developer must not meet the old code again
worker_class = worker_choice.worker_class()
threads = process.THREADS
backlog = process.BACKLOG
graceful_timeout = process.GRACEFUL_SECONDS
keepalive = process.KEEP_ALIVE_SECONDS

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
logconfig_dict = server_logging()
control_socket_disable = True
SHARED_MEMORY = process.shared_memory()
if SHARED_MEMORY is not None:
    worker_tmp_dir = str(SHARED_MEMORY)  # a worker's heartbeat must not wait for a disk

METRICS = process.prepare(SHARED_MEMORY)


def when_ready(server: Any) -> None:
    if server.cfg.preload_app:
        _log_start(server)
    garbage.resume()
    allocator.give_each_thread_its_own_arena()
    _time_out_silent_clients(server)


def _log_start(running: Any) -> None:
    """Log what has started, in the process that made the app."""
    process.log_start(running.app.wsgi(), "gunicorn", running.cfg.workers, running.cfg.threads)


def _time_out_silent_clients(server: Any) -> None:
    """Limit how long a client that stops sending within a request, or stops reading the response,
    can hold a thread.

    gthread waits for both without a limit. Accepted connections inherit these options from the
    listening socket; they do not affect idle ones between two requests.
    """
    for listener in server.LISTENERS:
        for option in (SO_RCVTIMEO, SO_SNDTIMEO):
            listener.sock.setsockopt(SOL_SOCKET, option, pack("ll", SILENT_SECONDS, 0))


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
        server.log.error(port_check.USED, ", ".join(used))
        sys.exit(1)


def worker_exit(server: Any, worker: Any) -> None:
    process.end_worker(worker.app.callable, worker.sender)


def on_exit(server: Any) -> None:
    process.end_master(server.app.callable)


def pre_fork(server: Any, worker: Any) -> None:
    worker.number = process.free_number(other.number for other in server.WORKERS.values())


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
    garbage.resume()  # also if an operator's settings replace `when_ready`
    process.after_fork(worker.app.wsgi() if worker.cfg.preload_app else None, worker.number)
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
        _log_start(worker)
    worker.sender = start_sender(worker.app.callable, lambda: worker.alive)
    if not worker.cfg.reload:  # otherwise a developer sees each line at once
        log_output.start_writer()


def pre_request(worker: Any, req: Any) -> None:
    """Read several Cookie lines of a request as one list."""
    join_cookie_lines(req.headers)
