"""One line for each request, and every other line in the same form: JSON, or text on a terminal.

A line holds the path but never the query string, no header, no body and no cookie. What a client
sends is escaped, so that it cannot begin a line of its own.
"""

import logging
import sys
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, g, has_request_context, request

from authsvc.facts import noted
from authsvc.guard.headers import request_id
from authsvc.requests import remote_address

MAX_PATH = 256
"""Characters of a path that are logged."""

_log = structlog.stdlib.get_logger("authsvc.request")


def log_requests(app: Flask) -> None:
    """Log a line about each request, when its response is ready.

    Who did what, and what became of it, is in it: `route` and `code` tell a refused login from
    a throttled one, `user` and `session` (a hash of its id) whom it concerns.
    """
    app.before_request(_start)
    app.after_request(_log_request)


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
            "gunicorn.access": {"level": "INFO", "handlers": [], "propagate": False},
        },
    }


def _start() -> None:
    g.started = perf_counter()


def _log_request(response: Response) -> Response:
    _log.info(
        "request",
        method=request.method,
        path=request.path[:MAX_PATH],
        route=request.endpoint,
        status=response.status_code,
        ms=round((perf_counter() - g.started) * 1000, 2),
        address=remote_address(),
        **noted(),
    )
    return response


def _with_request_id(logger: Any, name: str, event: structlog.typing.EventDict) -> Any:
    if has_request_context():
        event["request_id"] = request_id()
    return event


_IN_EVERY_LINE: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _with_request_id,
]

structlog.configure(
    processors=[*_IN_EVERY_LINE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def _formatter() -> logging.Formatter:
    renderer: list[Any] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(sort_keys=False),
    ]
    if sys.stderr.isatty():
        plain = structlog.dev.plain_traceback
        renderer = [structlog.dev.ConsoleRenderer(repr_native_str=True, exception_formatter=plain)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_IN_EVERY_LINE,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
