"""WSGI middleware that logs one line for each request.

A line holds the path, but never the query string, a header, the body or a cookie. What a client
sends is escaped, so that it cannot begin a new line.
"""

import logging
from collections.abc import Iterable
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Request

from authsvc import clock
from authsvc.monitoring.log_format import write_line
from authsvc.web.headers import REQUEST_ID
from authsvc.web.log_context import bound

MAX_PATH = 256
"""Characters of a path that are logged."""

PROBES = frozenset({"authsvc.operations.healthz", "authsvc.operations.readyz"})
"""The endpoints that a supervisor calls every few seconds: they are logged at debug."""

_WERKZEUG = "werkzeug.socket"
"""In the environment of a request to Werkzeug's server for development: `flask run`."""


class RequestLog:
    """WSGI middleware that logs a line about each request when its response is ready.

    `route` and `code` distinguish a refused login from a throttled one; `user` and `session` (a
    hash of its id) name the account and the session.

    Args:
        app: the Flask app's own WSGI application.
        level: the lowest level that is logged; requests are logged at info, probes at debug.
    """

    def __init__(self, app: WSGIApplication, level: str) -> None:
        self._app = app
        lowest = logging.getLevelNamesMapping()[level.upper()]
        self._logs_requests = lowest <= logging.INFO
        self._logs_probes = lowest <= logging.DEBUG

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _WERKZEUG in environ:  # its server logs each request itself
            return self._app(environ, start_response)
        started = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            request: Request = environ["werkzeug.request"]
            is_probe = request.endpoint in PROBES
            if not (self._logs_probes if is_probe else self._logs_requests):
                return start_response(status, headers, *exc_info)
            line = {
                "event": "request",
                "level": "debug" if is_probe else "info",
                "time": clock.now(),
                "request_id": environ[REQUEST_ID],
                "method": request.method,
                "path": request.path[:MAX_PATH],
                "route": request.endpoint,
                "status": int(status[:3]),
                "ms": round((perf_counter() - started) * 1000, 2),
                "address": request.remote_addr,
                **bound(environ),
            }
            write_line(line)
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)
