"""`authsvc serve --server granian`: read its options, make the app, and run the master."""

import importlib
import logging
import logging.config
import os
import sys

from flask import Flask
from gunicorn.systemd import sd_notify

from authsvc.monitoring.log_format import server_logging
from authsvc.server import allocator, garbage, process
from authsvc.server.cores import worker_count
from authsvc.server.granian import sockets
from authsvc.server.granian.master import Master

_log = logging.getLogger(__name__)


def serve(app_name: str, workers: int | None, threads: int | None, bind: str | None) -> None:
    """Serve until a signal says to stop.

    Args:
        app_name: ``module:variable``.
        workers: processes; as many as cores if it is None.
        threads: of each worker.
        bind: where to listen, see `sockets.listen`.

    Raises:
        SystemExit: the address cannot be used, or the app cannot be made.
    """
    garbage.pause()
    logging.config.dictConfig(server_logging())
    logging.getLogger("_granian").setLevel(logging.WARNING)
    process.prepare(process.shared_memory())
    default = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
    workers = workers or worker_count()
    threads = threads or process.THREADS
    app = _load(app_name)
    try:
        listeners = sockets.listen(bind, default, process.BACKLOG, workers)
    except sockets.BindError as error:
        _log.error("%s", error)
        sys.exit(1)
    process.log_start(app, "granian", workers, threads)
    garbage.resume()
    allocator.give_each_thread_its_own_arena()
    _log.info("listening on %s", sockets.shown(listeners))
    sd_notify("READY=1", _log)
    Master(app, listeners, workers, threads).run()
    process.end_master(app)


def _load(app_name: str) -> Flask:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    module, _, variable = app_name.partition(":")
    app: Flask = getattr(importlib.import_module(module), variable)
    return app
