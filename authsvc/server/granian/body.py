"""The bodies of requests: received without a thread while they are short, and never cut short."""

from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any

SILENT_SECONDS = 10
"""How long a client may send nothing within a request."""

MAX_BUFFERED = 64 * 1024
"""Bytes of a body that are received before the app is called. Of a longer body, the app reads the
rest while it holds a thread."""


class BodyEnded(OSError):
    """The body ended before it was complete: the client closed or fell silent."""


class Loop:
    """What granian needs in the place of an event loop: it calls back in the calling thread."""

    def call_soon_threadsafe(self, call: Callable[..., object], *args: Any, context: Any) -> None:
        call(*args)

    call_soon = call_soon_threadsafe


class Deadlines:
    """Gives up on clients that fall silent while a request is received.

    Args:
        seconds: how long one may be silent.
    """

    def __init__(self, seconds: float = SILENT_SECONDS) -> None:
        self._seconds = seconds
        self._waiting: dict[Any, tuple[float, Callable[[], object]]] = {}
        self._some = Event()
        Thread(target=self._run, name="deadlines", daemon=True).start()

    def add(self, key: object, give_up: Callable[[], object]) -> None:
        """Call a function when the time is over, unless the key is removed before."""
        self._waiting[key] = monotonic() + self._seconds, give_up
        self._some.set()

    def remove(self, key: object) -> None:
        self._waiting.pop(key, None)

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            while self._waiting:
                sleep(1)
                now = monotonic()
                for key, (deadline, give_up) in list(self._waiting.items()):
                    if deadline > now:
                        break
                    if self._waiting.pop(key, None) is not None:
                        give_up()


class Received:
    """A `wsgi.input`: what was received before the app was called, then what still arrives.

    Args:
        head: what was received.
        more: returns the next piece, and an empty one at the end; None if nothing is left.
        cut: whether the body ended early.
    """

    def __init__(self, head: bytes, more: Callable[[], bytes] | None, *, cut: bool) -> None:
        self._buffer = bytearray(head)
        self._more = more
        self._cut = cut

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

    def __iter__(self) -> "Received":
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
            piece = b"" if self._more is None else self._more()
            if not piece:
                self._more = None
                if self._cut:
                    raise BodyEnded
                return
            self._buffer += piece


def wait_for(future: Any, seconds: float = SILENT_SECONDS) -> Any:
    """Return the result of one of granian's futures.

    Raises:
        TimeoutError: there is none in time.
    """
    done = Lock()
    done.acquire()
    future.add_done_callback(lambda _: done.release())
    if not done.acquire(timeout=seconds):
        if future.cancel():
            raise TimeoutError
        done.acquire()
    return future.result()
