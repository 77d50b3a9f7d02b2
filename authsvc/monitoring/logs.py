"""One line for each request, and every other line in the same form: JSON, or text on a terminal.

A line holds the path but never the query string, no header, no body and no cookie. What a client
sends is escaped, so that it cannot begin a line of its own.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Request, has_request_context
from pydantic_core import to_json
from structlog.typing import EventDict, Processor

from authsvc import clock
from authsvc.web.headers import REQUEST_ID, request_id
from authsvc.web.log_context import noted

MAX_PATH = 256
"""Characters of a path that are logged."""

STDERR = 2


class RequestLog:
    """WSGI middleware that logs a line about each request, when its response is ready.

    Who did what, and what became of it, is in it: `route` and `code` tell a refused login from
    a throttled one, `user` and `session` (a hash of its id) whom it concerns.

    Args:
        app: the Flask app's own WSGI application.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            asked: Request = environ["werkzeug.request"]
            line = {
                "event": "request",
                "level": "info",
                "time": clock.now(),
                "request_id": environ[REQUEST_ID],
                "method": asked.method,
                "path": asked.path[:MAX_PATH],
                "route": asked.endpoint,
                "status": int(status[:3]),
                "ms": round((perf_counter() - started) * 1000, 2),
                "address": asked.remote_addr,
                **noted(environ),
            }
            _standard_error.write(_render(line))
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)


def gunicorn_logging() -> dict[str, Any]:
    """gunicorn's ``logconfig_dict``: all loggers write to standard error in one form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "alembic": {"level": "WARNING"},
        },
    }


def _with_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    if has_request_context():
        event["request_id"] = request_id()
    return event


def _as_json(line: EventDict) -> bytes:
    return to_json(line, ensure_ascii=True, fallback=str) + b"\n"


def _as_text(line: EventDict) -> bytes:
    line["time"] = line["time"].isoformat()
    return f"{_ON_TERMINAL(None, 'info', line)!s}\n".encode("utf-8", "backslashreplace")


def _json_text(logger: Any, method: str, event: EventDict) -> str:
    return json.dumps(event, default=str, separators=(",", ":"))


_ON_TERMINAL = structlog.dev.ConsoleRenderer(
    repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
)
_IN_EVERY_LINE: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _with_request_id,
]

# The line about a request brings all that it says, so it passes by structlog's processors.
_standard_error = os.fdopen(STDERR, "wb", buffering=0, closefd=False)
_render: Callable[[EventDict], bytes] = _as_json
_RENDERER: list[Processor] = [structlog.processors.format_exc_info, _json_text]
if os.isatty(STDERR):
    _render, _RENDERER = _as_text, [_ON_TERMINAL]


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_IN_EVERY_LINE,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDERER],
    )
