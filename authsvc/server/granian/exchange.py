"""One request and its response, as granian passes them."""

from http import HTTPStatus
from typing import Any


class Exchange:
    """Holds granian's objects for a request until it is over.

    Everything else refers to this. A traceback can keep the frames of a request alive, and granian
    would not close a connection for as long as one of them referred to its protocol.

    Args:
        watcher: what granian passes for each request.
    """

    def __init__(self, watcher: Any) -> None:
        self.scope: dict[str, Any] = watcher.scope
        self.protocol: Any = watcher.proto

    def release(self) -> None:
        """Let granian go on with the connection, or close it if the request was not received."""
        self.protocol = None

    def send(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head of a response, which granian keeps until a piece of the body comes."""
        head = {"type": "http.response.start", "status": status, "headers": headers}
        self.protocol.send(head)

    def send_piece(self, piece: bytes, *, is_last: bool) -> Any:
        """Send a piece of the body, and return what to wait for, if the client reads slowly."""
        body = {"type": "http.response.body", "body": piece, "more_body": not is_last}
        return self.protocol.send(body)

    def refuse(self, status: int, text: str) -> None:
        """Answer with a plain text, and close the connection."""
        self.send(status, [(b"content-type", b"text/plain"), (b"connection", b"close")])
        body = f"{HTTPStatus(status).phrase}: {text}\n".encode()
        self.send_piece(body, is_last=True)
        self.release()
