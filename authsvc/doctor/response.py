"""An HTTP response, as the checks read it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authsvc.doctor.findings import quoted


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    Args:
        request_line: the request's method and path, such as ``GET /api/me``.
        request_id: the request's ``X-Request-ID``.
        status: the status code.
        headers: names and values, in the order of the response.
        body: the whole body.
        sent_at: the time just before the request was sent.
        received_at: the time just after the response was read.
    """

    request_line: str
    request_id: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    sent_at: datetime
    received_at: datetime

    def all(self, name: str) -> list[str]:
        """Return the value of each header with this name."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def header(self, name: str) -> str | None:
        """Return the header's value; several are joined by commas (RFC 9110 section 5.3)."""
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body; empty if the body is not one."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str | None:
        """The problem's code (RFC 9457), or None if the response is not a problem."""
        media_type = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        code = self.json.get("code") if media_type == "application/problem+json" else None
        return code if isinstance(code, str) else None

    def __str__(self) -> str:
        """Return the status with its code or location; never the body, which may hold a token."""
        location = self.header("Location")
        if 300 <= self.status < 400 and location:
            return f"{self.status} to {quoted(location)}"
        return f"{self.status} {quoted(self.code)[1:-1]}" if self.code else str(self.status)
