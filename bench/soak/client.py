"""An HTTP client that waits for its turn before each request, and records each response."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Self

from bench.load.peer_requests import JSON

TIMEOUT_SECONDS = 30


class VisitEnded(Exception):
    """The visit cannot go on: a response was not the expected one.

    Args:
        retry_after: the seconds that the service asks the client to wait.
    """

    def __init__(self, retry_after: float = 0) -> None:
        self.retry_after = retry_after


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Step:
    """One request of a scenario.

    Args:
        name: under which it is recorded.
        method, path: of the request.
        body: JSON, if there is one.
        headers: in addition to those of the body.
        expected: the status of the response. A 503 with `Retry-After` is right, too.
    """

    name: str
    method: str
    path: str
    body: str | None = None
    headers: dict[str, str] | None = None
    expected: int = 200


class Client:
    """A client with one connection that is kept.

    Args:
        port: of the service.
        wait_for_turn: returns when the next request may be sent.
        record: called for each step with its name, its status (0 without a response), its
            seconds, and whether it is right.
    """

    def __init__(
        self,
        port: int,
        wait_for_turn: Callable[[], None],
        record: Callable[[str, int, float, bool], None],
    ) -> None:
        self._port = port
        self._wait_for_turn = wait_for_turn
        self._record = record
        self._connection = self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def request(
        self,
        name: str,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        expected: int = 200,
    ) -> Response:
        """Send a request with a JSON body, and return its response.

        Raises:
            VisitEnded: the response has another status, or there is none.
        """
        text = None if body is None else json.dumps(body)
        with self._recording_failures(name):
            return self._send(self._connection, Step(name, method, path, text, headers, expected))

    def post_once(self, name: str, path: str, body: str, expected: int) -> None:
        """Post text over a connection of its own, since the service may close it.

        Raises:
            VisitEnded: as for request().
        """
        with self._recording_failures(name), closing(self._connect()) as connection:
            self._send(connection, Step(name, "POST", path, body, expected=expected))

    def drop_connection(self, sent: bytes) -> None:
        """Send bytes over a connection of its own, and close it without reading."""
        address = ("127.0.0.1", self._port)
        with self._recording_failures("dropped"), socket.create_connection(address) as connection:
            connection.sendall(sent)

    def _send(self, connection: HTTPConnection, step: Step) -> Response:
        headers = {**(step.headers or {}), **({} if step.body is None else JSON)}
        began = time.perf_counter()
        connection.request(step.method, step.path, step.body, headers)
        received = connection.getresponse()
        response = Response(received.status, dict(received.headers), received.read())
        busy = response.status == 503 and "Retry-After" in response.headers
        expected = response.status == step.expected
        seconds = time.perf_counter() - began
        self._record(step.name, response.status, seconds, expected or busy)
        if not expected:
            raise VisitEnded(float(response.headers.get("Retry-After", 0)))
        return response

    @contextmanager
    def _recording_failures(self, name: str) -> Iterator[None]:
        """Wait for the turn of a step, and record it if the connection breaks."""
        self._wait_for_turn()
        try:
            yield
        except (OSError, HTTPException):
            self._record(name, 0, 0, False)
            raise VisitEnded from None

    def _connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
