"""Count the lines of the log that could not be written, from any thread or signal handler."""

import os
from collections import deque
from collections.abc import Callable
from threading import Lock


class DroppedLines:
    """Lines that were dropped, some of them before there was a metric that counts them."""

    def __init__(self) -> None:
        self._dropped: deque[None] = deque()
        self._counting = Lock()
        self._count: Callable[[], object] | None = None
        self._counts_in = 0

    def add(self, lines: int) -> None:
        """Count lines, now or when there is a function that counts."""
        self._dropped.extend([None] * lines)
        self._count_dropped()

    def count_by(self, count: Callable[[], object]) -> None:
        """Call a function for each line that was or will be dropped.

        Args:
            count: counts one line.
        """
        self._count = count
        self.count_in_this_process()

    def count_in_this_process(self) -> None:
        """Count from now on in a forked process, whose counter is its own by now."""
        self._counts_in = os.getpid()
        self._count_dropped()

    def _count_dropped(self) -> None:
        """Count without waiting for a lock: this may interrupt itself in a signal handler.

        A call that does not get the lock leaves its line to the call that holds it.
        """
        if self._count is None or self._counts_in != os.getpid():
            return
        while self._dropped and self._counting.acquire(blocking=False):
            try:
                while self._dropped:
                    self._dropped.pop()
                    self._count()
            finally:
                self._counting.release()
