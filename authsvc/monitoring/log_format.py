"""The format of each line of the log: JSON, or text for a developer or on a terminal."""

import json
import logging
import os
from collections.abc import Callable
from typing import Any

import structlog
from flask import has_request_context
from pydantic_core import to_json
from structlog.typing import EventDict, Processor

from authsvc.monitoring.development import reloads
from authsvc.monitoring.log_output import MAX_LINE, log_output
from authsvc.monitoring.standard_error import STDERR
from authsvc.web.headers import request_id

_CUT = " [...] "


def write_line(line: EventDict) -> None:
    """Write a request's line, which has all its fields, soon and without structlog's processors."""
    log_output.write(_render(line), soon=True)


def gunicorn_logging() -> dict[str, Any]:
    """Return gunicorn's ``logconfig_dict``: all loggers write to standard error in one format."""
    handler = {
        "class": "logging.StreamHandler",
        "stream": "ext://authsvc.monitoring.log_output.log_stream",
        "formatter": "line",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _formatter}},
        "handlers": {"stderr": handler},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "alembic": {"level": "WARNING"},
        },
    }


def set_log_level(level: str) -> None:
    """Log nothing below a level from now on, in gunicorn's lines and all others but requests'.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    for name in (None, "gunicorn.error"):
        logging.getLogger(name).setLevel(level.upper())


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
    """Return the event as JSON, its longest fields cut in the middle if it is over the limit.

    A line over the limit could be written in pieces, with lines of other workers in between.
    """
    text = _dumps(event)
    for _ in event:
        excess = len(text) + 1 - MAX_LINE  # 1 for the newline
        if excess <= 0:
            break
        name = max(event, key=lambda name: len(str(event[name])))
        value = str(event[name])
        kept = max(0, len(value) - excess - len(_CUT)) // 2
        event[name] = value[:kept] + _CUT + value[len(value) - kept :]
        text = _dumps(event)
    return text


def _dumps(event: EventDict) -> str:
    return json.dumps(event, default=str, separators=(",", ":"))


_ON_TERMINAL = structlog.dev.ConsoleRenderer(
    colors=os.isatty(STDERR),
    repr_native_str=True,
    exception_formatter=structlog.dev.plain_traceback,
)
_IN_EVERY_LINE: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _with_request_id,
]

_render: Callable[[EventDict], bytes] = _as_json
_RENDERER: list[Processor] = [structlog.processors.format_exc_info, _json_text]
if os.isatty(STDERR) or reloads():
    _render, _RENDERER = _as_text, [_ON_TERMINAL]


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_IN_EVERY_LINE,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDERER],
    )
