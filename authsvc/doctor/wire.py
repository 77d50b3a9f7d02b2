"""HTTP as the doctor speaks it: a connection for each request, no redirect followed."""

import json
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from authsvc import clock
from authsvc.doctor.findings import quoted
from authsvc.doctor.target import Target

TIMEOUT = 10
"""Seconds that one answer may take."""

MOST_BYTES = 256 * 1024
"""An answer that is longer is not the service's."""


class NoAnswer(Exception):
    """No HTTP answer came; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        asked: method and path.
        request_id: the ``X-Request-ID`` that was sent.
        status: the status code.
        headers: names and values, as they came.
        body: all of it.
        sent_at: just before the request went out.
        received_at: just after the answer was there.
    """

    asked: str
    request_id: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    sent_at: datetime
    received_at: datetime

    def all(self, name: str) -> list[str]:
        """The value of each header of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The header's value; several are joined by commas (RFC 9110 section 5.3)."""
        return ", ".join(self.all(name)) if self.all(name) else None

    @property
    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty where the body is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str | None:
        """The code of the problem that this is (RFC 9457), if it is one."""
        media_type = (self.header("Content-Type") or "").partition(";")[0].strip().lower()
        code = self.json.get("code") if media_type == "application/problem+json" else None
        return code if isinstance(code, str) else None

    def __str__(self) -> str:
        """What to tell about it; never the body, which may hold a token."""
        location = self.header("Location")
        if 300 <= self.status < 400 and location:
            return f"{self.status} to {quoted(location)}"
        return f"{self.status} {quoted(self.code)[1:-1]}" if self.code else str(self.status)


class Wire:
    """Asks, and keeps all answers.

    Args:
        target: whom to ask.
        tls: how to speak TLS to it; not used for ``http``.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext) -> None:
        self.target = target
        self.answers: list[Answer] = []
        self._tls = tls

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        json_body: dict[str, str] | None = None,
    ) -> Answer:
        """One request and its answer.

        Raises:
            NoAnswer: none came, or something that is not HTTP.
        """
        sent = {"User-Agent": "authsvc-doctor", **(headers or {})}
        sent["X-Request-ID"] = request_id = f"authsvc-doctor-{len(self.answers) + 1}"
        body = None
        if json_body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(json_body).encode()
        connection = self._connection()
        sent_at = clock.now()
        deadline = time.monotonic() + TIMEOUT
        try:
            connection.request(method, self.target.prefix + path, body, sent)
            with connection.getresponse() as response:  # which may own the socket by now
                content = _read(response, deadline)
        except (OSError, HTTPException, UnicodeError) as error:
            raise NoAnswer(f"{method} {path}: {reason(error)}") from None
        finally:
            connection.close()
        answer = Answer(
            asked=f"{method} {path}",
            request_id=request_id,
            status=response.status,
            headers=response.getheaders(),
            body=content,
            sent_at=sent_at,
            received_at=clock.now(),
        )
        self.answers.append(answer)
        return answer

    def _connection(self) -> HTTPConnection:
        host, port = self.target.host, self.target.port
        if self.target.is_tls:
            return HTTPSConnection(host, port, timeout=TIMEOUT, context=self._tls)
        return HTTPConnection(host, port, timeout=TIMEOUT)


def reason(error: Exception) -> str:
    """Why there is no answer, in words, and without anything that was sent."""
    match error:
        case TimeoutError():
            return f"no answer within {TIMEOUT} seconds"
        case socket.gaierror() | UnicodeError():
            return "there is no host of this name"
        case ConnectionRefusedError():
            return "nothing listens there (connection refused)"
        case ConnectionError():
            return "the connection was closed without an answer"
        case ssl.SSLError():
            return f"TLS fails ({error.reason or 'broken off'})"
        case HTTPException():
            return "what came back is not HTTP"
    return f"it cannot be reached ({error})"


def _read(response: HTTPResponse, deadline: float) -> bytes:
    content = b""
    while chunk := response.read1(MOST_BYTES):
        content += chunk
        if len(content) > MOST_BYTES:
            raise HTTPException
        if time.monotonic() > deadline:
            raise TimeoutError
    return content
