"""The format of each line of the log: JSON, or text on a terminal."""

import json
import logging
import os
from collections.abc import Callable
from typing import Any

import structlog
from flask import has_request_context
from pydantic_core import to_json
from structlog.typing import EventDict, Processor

from authsvc.web.headers import request_id

STDERR = 2


def write_line(line: EventDict) -> None:
    """Write a line that has all its fields, without structlog's processors."""
    _standard_error.write(_render(line))


def gunicorn_logging() -> dict[str, Any]:
    """Return gunicorn's ``logconfig_dict``: all loggers write to standard error in one format."""
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
