"""The body of a request as a WSGI app reads it: whole, or with an error."""

from collections.abc import Callable
from typing import Protocol


class BodyEnded(OSError):
    """The body ended before it was complete: the client closed or fell silent."""


class Source(Protocol):
    """Receives what of a body is still to come."""

    def next_piece(self) -> bytes:
        """Return the next piece, or an empty one at the end."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is to come."""

    @property
    def must_close(self) -> bool:
        """Whether the connection must be closed if the app reads no more."""


class Body:
    """A `wsgi.input`: what was received before the app was called, then what still arrives.

    Args:
        head: what was received.
        rest: receives what is left; None if that is nothing.
        is_cut: whether the body ended early.
    """

    def __init__(
        self, head: bytes = b"", rest: Source | None = None, *, is_cut: bool = False
    ) -> None:
        self._buffer = bytearray(head)
        self._rest = rest
        self._is_cut = is_cut

    @property
    def is_over(self) -> bool:
        """Whether nothing is to come."""
        return self._rest is None or self._rest.is_over

    @property
    def must_close(self) -> bool:
        """Whether the connection must be closed if the app reads no more."""
        return self._is_cut or (self._rest is not None and self._rest.must_close)

    def read(self, size: int | None = -1) -> bytes:
        """Return at most that many bytes, or all; fewer only at the end of the body.

        Raises:
            BodyEnded: the body ended early.
        """
        wanted = None if size is None or size < 0 else size
        self._fill(lambda: wanted is not None and len(self._buffer) >= wanted)
        return self._take(len(self._buffer) if wanted is None else wanted)

    def readline(self, size: int | None = -1) -> bytes:
        """Return the next line, of at most that many bytes.

        Raises:
            BodyEnded: the body ended early.
        """
        limit = None if size is None or size < 0 else size
        self._fill(
            lambda: b"\n" in self._buffer or (limit is not None and len(self._buffer) >= limit)
        )
        end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        return self._take(end if limit is None else min(end, limit))

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Return all lines that are left."""
        return list(self)

    def __iter__(self) -> "Body":
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self, is_enough: Callable[[], bool]) -> None:
        while not is_enough():
            piece = b"" if self._rest is None else self._rest.next_piece()
            if not piece:
                if self._is_cut:
                    raise BodyEnded
                return
            self._buffer += piece
