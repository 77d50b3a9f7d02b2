"""HTTP/1.1 by hand: requests that a normal client cannot send, and all responses to them."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

End = Literal["asked", "cut", "by itself"]


@dataclass(frozen=True)
class Answer:
    """One response as it was on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A TCP connection to the service, with a time-out in seconds for each response."""

    def __init__(self, port: int, seconds: float = 10) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def ask(self, data: bytes) -> Answer:
        """Send, and return one response; the connection stays open."""
        self.send(data)
        return self.read_one()

    def read_one(self) -> Answer:
        received = b""
        while True:
            answers, rest = parsed(received)
            if answers:
                assert not rest
                assert len(answers) == 1
                return answers[0]
            data = self._socket.recv(65536)
            assert data, f"closed after {received!r}"
            received += data

    def answers(self, data: bytes, *, end: End = "asked") -> list[Answer]:
        """Send, and return all responses to it until the service closes.

        Args:
            end: why it closes: because a last request asks for it (the response to that one is
                left out), because we shut down our side in the middle of a request, or by itself.
        """
        received = b""
        with suppress(OSError):  # it may close with some of ours unread
            self.send(data + LAST if end == "asked" else data)
            if end == "cut":
                self._socket.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while more := self._socket.recv(65536):
                received += more
        answers, rest = parsed(received)
        assert rest == b""
        return [answer for answer in answers if answer.headers.get("x-request-id") != "last"]


def request(
    line: str, *headers: str, body: bytes | None = None, host: str = "Host: localhost"
) -> bytes:
    """Return a request with this line (method and target) and these header lines."""
    lines = [f"{line} HTTP/1.1", *([host] if host else []), *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


LAST = request("GET /healthz", "X-Request-ID: last", "Connection: close")


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


def parsed(data: bytes) -> tuple[list[Answer], bytes]:
    """Return the complete responses at the start of the data, and the rest."""
    answers = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        pairs = [line.partition(":") for line in lines]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = 0 if status < 200 else int(headers.get("content-length", "0"))
        if len(rest) < length:
            break
        answers.append(Answer(status, headers, rest[:length]))
        data = rest[length:]
    return answers, data
