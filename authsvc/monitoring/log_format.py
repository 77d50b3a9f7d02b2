"""The format of each line of the log: JSON, or text for a developer or on a terminal."""

import json
import logging
import os
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from flask import has_request_context
from pydantic_core import to_json

from authsvc.monitoring.development import reloads
from authsvc.monitoring.log_output import MAX_LINE, log_output
from authsvc.monitoring.standard_error import STDERR
from authsvc.web.headers import request_id

EventDict = MutableMapping[str, Any]
"""The fields of a line, as structlog names them."""

_CUT = " [...] "


def write_line(line: EventDict) -> None:
    """Write a request's line, which has all its fields, soon and without structlog's processors."""
    log_output.write(_render(line), soon=True)


def server_logging() -> dict[str, Any]:
    """Return what `dictConfig` takes: all loggers write to standard error in one format."""
    handler = {
        "class": "logging.StreamHandler",
        "stream": "ext://authsvc.monitoring.log_output.log_stream",
        "formatter": "line",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _Formatter}},
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


def _as_json(line: EventDict) -> bytes:
    return to_json(line, ensure_ascii=True, fallback=str) + b"\n"


def _as_text(line: EventDict) -> bytes:
    line["time"] = line["time"].isoformat()
    return f"{_on_terminal(line)}\n".encode("utf-8", "backslashreplace")


def _json_text(event: EventDict) -> str:
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


def _on_terminal(event: EventDict) -> str:
    return str(_console()(None, "info", event))


@cache
def _console() -> Callable[[Any, str, EventDict], str]:
    # Imported here: structlog imports rich where it is installed, which takes a tenth of the boot.
    from structlog.dev import ConsoleRenderer, plain_traceback

    return ConsoleRenderer(
        colors=os.isatty(STDERR), repr_native_str=True, exception_formatter=plain_traceback
    )


class _Formatter(logging.Formatter):
    """Formats what any logger logs like the lines of requests."""

    def format(self, record: logging.LogRecord) -> str:
        line: EventDict = {"event": record.getMessage(), "level": record.levelname.lower()}
        line["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if has_request_context():
            line["request_id"] = request_id()
        if record.exc_info:
            if _IS_TEXT:
                line["exc_info"] = record.exc_info
            else:
                line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack_info"] = record.stack_info
        return _on_terminal(line) if _IS_TEXT else _json_text(line)


_IS_TEXT = os.isatty(STDERR) or reloads()
_render: Callable[[EventDict], bytes] = _as_text if _IS_TEXT else _as_json
