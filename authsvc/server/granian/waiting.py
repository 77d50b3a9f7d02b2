"""Wait for granian, with a deadline."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any

_log = logging.getLogger(__name__)

SILENT_SECONDS = 10
"""How long a client may send nothing within a request."""


class Loop:
    """What granian needs in the place of an event loop: it calls back in the calling thread."""

    def call_soon_threadsafe(self, call: Callable[..., object], *args: Any, context: Any) -> None:
        """Call a function. It logs an error, which granian would not."""
        try:
            call(*args)
        except BaseException:
            _log.exception("a request failed in the server")

    call_soon = call_soon_threadsafe


class Deadlines:
    """Gives up on clients that fall silent while a request is received.

    Args:
        is_congested: returns whether no thread is free to pass on what arrives. Then a client only
            seems to be silent.
        seconds: how long one may be silent.
    """

    def __init__(
        self, is_congested: Callable[[], bool] = lambda: False, seconds: float = SILENT_SECONDS
    ) -> None:
        self._is_congested = is_congested
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
                    if deadline > now or self._is_congested():
                        break
                    if self._waiting.pop(key, None) is not None:
                        with suppress(RuntimeError):  # the worker is ending
                            give_up()


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
