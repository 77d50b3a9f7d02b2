"""WSGI middleware that measures each request."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from authsvc.monitoring.instruments import RequestInstruments


class RequestMetrics:
    """WSGI middleware that measures each request.

    Args:
        app: the Flask app's own WSGI application.
        instruments: the metrics to update.
    """

    def __init__(self, app: WSGIApplication, instruments: RequestInstruments) -> None:
        self._app = app
        self._observe = instruments.observe

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            self._observe(environ["werkzeug.request"], status[:3], perf_counter() - started)
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)
