"""A request whose body arrives whole, or raises an error while a view reads it.

Werkzeug cuts a chunked body off at `max_content_length`, and takes a body that ends early for a
complete one: a view would store half of an upload.
"""

from io import BufferedReader, RawIOBase
from typing import IO, Any, cast

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.utils import cached_property
from werkzeug.wsgi import get_input_stream


class WholeBodyRequest(Request):
    """Flask's request. Its stream raises at the limit, and when the client stops early."""

    @cached_property
    def stream(self) -> IO[bytes]:
        limit = self.max_content_length
        if limit is None or "wsgi.input_terminated" not in self.environ:
            return get_input_stream(self.environ, max_content_length=limit)
        if (self.content_length or 0) > limit:
            raise RequestEntityTooLarge
        source = self.environ["wsgi.input"]
        # Buffered, or each byte of a line would be a call.
        return BufferedReader(_WholeBody(source, self.content_length, limit))


class _WholeBody(RawIOBase):
    """Args: source: what the server reads. declared: the body's length, if it has one."""

    def __init__(self, source: Any, declared: int | None, limit: int) -> None:
        self._source = source
        self._declared = declared
        self._limit = limit
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        declared = self._declared
        left = self._limit + 1 if declared is None else declared
        data = self._read(min(len(buffer), left - self._received))
        self._received += len(data)
        if self._received > self._limit:
            raise RequestEntityTooLarge
        if not data and len(buffer) and declared is not None and self._received < declared:
            raise ClientDisconnected
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        try:
            return cast(bytes, self._source.read(size)) if size > 0 else b""
        except Exception:  # each server has its own class for a body with broken framing
            raise ClientDisconnected from None


class Again(RawIOBase):
    """A stream of what was read already, then of the rest.

    Args:
        head: what was read.
        source: where it was read from.
    """

    def __init__(self, head: bytes, source: Any) -> None:
        self._head = head
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._source.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
