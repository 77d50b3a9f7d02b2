"""The computing of password hashes: how many at once, and behind whatever else there is to do."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import BoundedSemaphore
from typing import Protocol, TypeVar

from authsvc.problems import ServiceUnavailable

T = TypeVar("T")

MAX_HASHING = 1
MAX_WAITING = 2
WAIT_SECONDS = 1.0
# One hash keeps one core busy for about 20 ms, and there are as many processes as cores:
# more at once would not be faster. Those who are about a password, counting included, hold a
# thread each, and one of a process's four must stay free for everybody else. Measured with 8
# clients on 2 processes and a busy machine: where only the hash was bounded, waits for the
# counts' write lock held every thread, and the p50 of protected requests was 48 times its idle
# value; with all of it bounded, 4 to 6 times. 4 of 160 people who came four at a time were
# told to try again.

NICENESS = 10
"""By how much the thread that hashes steps back: who needs no hash is given a core before it is."""


class HashingMetrics(Protocol):
    """What measures the hashing."""

    def waiting(self) -> AbstractContextManager[object]:
        """Return what is entered while a request waits for its turn."""

    def hashing(self) -> AbstractContextManager[object]:
        """Return what is entered while a password is hashed."""

    def refused(self) -> None:
        """Count a request that is refused because too many passwords are being hashed."""


class NotMeasured:
    """Metrics that measure nothing."""

    def waiting(self) -> AbstractContextManager[object]:
        return nullcontext()

    def hashing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def refused(self) -> None:
        """Count nothing."""


class Hashing:
    """Computes hashes in a thread of its own, which the first hash starts in each process.

    Args:
        metrics: what measures it.
    """

    def __init__(self, metrics: HashingMetrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(MAX_HASHING, "hashing", initializer=_step_back)
        self._turn = BoundedSemaphore(MAX_HASHING)
        self._admitted = BoundedSemaphore(MAX_HASHING + MAX_WAITING)

    def compute(self, hash: Callable[[], T]) -> T:
        """What the function gives, when it is its turn.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        with self._metrics.waiting():
            mine = self._turn.acquire(timeout=WAIT_SECONDS)
        if not mine:
            self._metrics.refused()
            raise ServiceUnavailable
        try:
            with self._metrics.hashing():
                return self._thread.submit(hash).result()
        finally:
            self._turn.release()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Around all that a request does about a password, counting the attempt included.

        Raises:
            ServiceUnavailable: as many requests as may be are about passwords already.
        """
        if not self._admitted.acquire(blocking=False):
            self._metrics.refused()
            raise ServiceUnavailable
        try:
            yield
        finally:
            self._admitted.release()


def _step_back() -> None:
    if sys.platform == "linux":  # only there each thread has a niceness of its own
        with suppress(OSError):  # where a sandbox forbids it, hashes compete with the requests
            me = threading.get_native_id()
            others = os.getpriority(os.PRIO_PROCESS, me)
            os.setpriority(os.PRIO_PROCESS, me, others + NICENESS)  # it ends at 19
