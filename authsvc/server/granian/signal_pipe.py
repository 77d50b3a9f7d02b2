"""Wait for signals in the main thread, as one waits for data."""

import os
import select
import signal
from collections.abc import Iterable


class SignalPipe:
    """Receives signals from now on.

    Args:
        numbers: the signals.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)  # the number arrives in the pipe

    def wait(self, seconds: float) -> set[int]:
        """Return the signals that arrive within that time, at the first."""
        if not select.select([self._read], [], [], seconds)[0]:
            return set()
        return set(os.read(self._read, 4096))

    def close(self) -> None:
        """Stop to receive, in a fork."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)
