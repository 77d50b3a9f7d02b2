"""The doctor's HTTP client: one connection for each request, redirects are not followed."""

import json
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from authsvc import clock
from authsvc.doctor.response import Response
from authsvc.doctor.target import Target

TIMEOUT = 10
"""Seconds that one response may take."""

MAX_BYTES = 256 * 1024
"""A longer body is not the service's."""


class NoResponse(Exception):
    """The server sent no HTTP response; the message says why."""


class HttpClient:
    """Sends requests to one service and keeps every response.

    Args:
        target: the service.
        tls: the TLS settings; not used for ``http``.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext) -> None:
        self.target = target
        self.responses: list[Response] = []
        self._tls = tls

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        *,
        json_body: dict[str, str] | None = None,
    ) -> Response:
        """Send a request and return its response.

        Raises:
            NoResponse: the server sent none, or it is not HTTP.
        """
        request_id = f"authsvc-doctor-{len(self.responses) + 1}"
        sent = {"User-Agent": "authsvc-doctor", **(headers or {}), "X-Request-ID": request_id}
        body = None
        if json_body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(json_body).encode()
        sent_at = clock.now()
        response, content = self._exchange(method, path, body, sent)
        self.responses.append(
            Response(
                request_line=f"{method} {path}",
                request_id=request_id,
                status=response.status,
                headers=response.getheaders(),
                body=content,
                sent_at=sent_at,
                received_at=clock.now(),
            )
        )
        return self.responses[-1]

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        connection = self._connection()
        deadline = time.monotonic() + TIMEOUT
        try:
            connection.request(method, self.target.prefix + path, body, headers)
            with connection.getresponse() as response:  # it may own the socket by now
                return response, _read(response, deadline)
        except (OSError, HTTPException, UnicodeError) as error:
            raise NoResponse(f"{method} {path}: {reason(error)}") from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self.target.host, self.target.port
        if self.target.is_tls:
            return HTTPSConnection(host, port, timeout=TIMEOUT, context=self._tls)
        return HTTPConnection(host, port, timeout=TIMEOUT)


def reason(error: Exception) -> str:
    """Return why there is no response, without anything that was sent."""
    match error:
        case TimeoutError():
            return f"no response within {TIMEOUT} seconds"
        case socket.gaierror() | UnicodeError():
            return "the host name does not exist"
        case ConnectionRefusedError():
            return "no server listens there (connection refused)"
        case ConnectionError():
            return "the server closed the connection without a response"
        case ssl.SSLError():
            return f"TLS fails ({error.reason or 'the connection was closed'})"
        case HTTPException():
            return "the response is not HTTP"
    return f"the service cannot be reached ({error})"


def _read(response: HTTPResponse, deadline: float) -> bytes:
    content = b""
    while chunk := response.read1(MAX_BYTES):
        content += chunk
        if len(content) > MAX_BYTES:
            raise HTTPException
        if time.monotonic() > deadline:
            raise TimeoutError
    return content
