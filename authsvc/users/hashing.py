"""Compute password hashes: few at once, in a thread of low priority."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import BoundedSemaphore
from typing import Protocol, TypeVar

from authsvc.problems import ServiceUnavailable

T = TypeVar("T")

MAX_HASHING = 1
MAX_ACTIVE = 3
MAX_WAITING = 21
MAX_ACTIVE_AFTER_FAILURE = 2
MAX_AFTER_FAILURE = 12
QUEUE_SECONDS = 3.0
HASH_SECONDS = 2.0
# One hash keeps one core busy for about 20 ms, and there are as many processes as cores: more at
# once would not be faster. A request with a password is active from counting the attempt to
# opening the session. Measured with 8 clients on 2 processes and a busy machine: when only the
# hash was bounded, waits for the counts' write lock slowed all requests, and the p50 of protected
# requests was 48 times its idle value; with few active, 4 to 6 times. Further requests wait before
# they touch the database: each costs only its thread, of which a process has some more
# (authsvc/gunicorn.py). So 24 people who log in at once all get in, however the processes share
# their connections; a queue without a bound would make a flood of logins wait for ever.
#
# Requests from networks whose last login failed get half of the places, active and waiting ones
# together: two processes still have room for 24 other people at once. Measured during a flood from
# 200 addresses on a busy machine: with 18 places for it a third of the 24 were refused. It waits by
# itself, for two of the active places: with three the slowest of 8 people waited twice as long.

NICENESS = 10
"""Added to the niceness of the hashing thread: requests without a password get a core first."""


class HashingMetrics(Protocol):
    """Measures the hashing."""

    def waiting(self) -> AbstractContextManager[object]:
        """Return a context manager for the time that a request waits for its turn."""

    def hashing(self) -> AbstractContextManager[object]:
        """Return a context manager for the time that a password is hashed."""

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
    """Computes hashes in a thread of its own, which each process starts at its first hash.

    Args:
        metrics: measures the hashing.
    """

    def __init__(self, metrics: HashingMetrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(MAX_HASHING, "hashing", initializer=_lower_priority)
        self._hashing = BoundedSemaphore(MAX_HASHING)
        self._active = BoundedSemaphore(MAX_ACTIVE)
        self._admitted = BoundedSemaphore(MAX_ACTIVE + MAX_WAITING)
        self._failed_active = BoundedSemaphore(MAX_ACTIVE_AFTER_FAILURE)
        self._failed_admitted = BoundedSemaphore(MAX_AFTER_FAILURE)

    def compute(self, hash: Callable[[], T]) -> T:
        """Wait for a turn, then return what the function returns.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        with self._turn(self._hashing, HASH_SECONDS), self._metrics.hashing():
            return self._thread.submit(hash).result()

    @contextmanager
    def admitted(self, failed_lately: bool = False) -> Iterator[None]:
        """Enclose everything that a request does with a password, counting the attempt included.

        A short queue leads here: the request waits until few others are active.

        Args:
            failed_lately: whether the last login from the client's network failed, and nothing else
                proves who asks. Such requests get a part of the places, and overtake none of the
                others.

        Raises:
            ServiceUnavailable: the queue or that part of it is full, or the wait was too long.
        """
        if not failed_lately:
            with self._place(self._admitted), self._turn(self._active, QUEUE_SECONDS):
                yield
            return
        ends = time.monotonic() + QUEUE_SECONDS
        with (
            self._place(self._failed_admitted),
            self._place(self._admitted),
            self._turn(self._failed_active, QUEUE_SECONDS),
            self._turn(self._active, ends - time.monotonic()),
        ):
            yield

    @contextmanager
    def _place(self, semaphore: BoundedSemaphore) -> Iterator[None]:
        if not semaphore.acquire(blocking=False):
            self._metrics.refused()
            raise ServiceUnavailable
        try:
            yield
        finally:
            semaphore.release()

    @contextmanager
    def _turn(self, semaphore: BoundedSemaphore, seconds: float) -> Iterator[None]:
        with self._metrics.waiting():
            acquired = semaphore.acquire(timeout=seconds)
        if not acquired:
            self._metrics.refused()
            raise ServiceUnavailable
        try:
            yield
        finally:
            semaphore.release()


def _lower_priority() -> None:
    if sys.platform == "linux":  # elsewhere niceness belongs to the process
        with suppress(OSError):  # a sandbox may forbid it; then hashes compete with requests
            this_thread = threading.get_native_id()
            niceness = os.getpriority(os.PRIO_PROCESS, this_thread)
            os.setpriority(os.PRIO_PROCESS, this_thread, niceness + NICENESS)  # at most 19
