"""Standard error, written in whole lines and without ever waiting for its reader."""

import io
import os
from collections import deque
from collections.abc import Callable
from threading import Lock

from authsvc.monitoring.standard_error import STDERR, identity, non_blocking_write

MAX_LINE = 4096
"""Bytes of a line: Linux writes as many to a pipe in one piece, or none of them (PIPE_BUF)."""


class LineOutput:
    """Writes each line at once, or drops and counts it.

    A full disk, a full pipe or a reader that is gone must neither delay nor fail a request.
    """

    def __init__(self) -> None:
        self._write, self._file = non_blocking_write(), identity()
        self._ends_in_half_a_line = False
        self._dropped: deque[None] = deque()
        self._counting = Lock()
        self._count: Callable[[], object] | None = None
        self._counts_in = 0

    def write(self, line: bytes) -> None:
        """Write a line, which ends in a newline, or drop it."""
        if len(line) > MAX_LINE:
            line = line[: MAX_LINE - 1] + b"\n"
        if self._ends_in_half_a_line:
            line = b"\n" + line
        try:
            written = self._write(line)
        except OSError:
            self._drop()
            return
        self._ends_in_half_a_line = written < len(line)  # on a full disk or a terminal
        if self._ends_in_half_a_line:
            self._drop()

    def count_dropped_lines(self, count: Callable[[], object]) -> None:
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

    def follow_redirection(self) -> None:
        """Write to the current standard error, if it was redirected since the last call."""
        if identity() != self._file:
            self._write, self._file = non_blocking_write(), identity()

    def _drop(self) -> None:
        self._dropped.append(None)
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


class LineStream(io.TextIOBase):
    """A text stream of whole lines, for logging handlers, warnings and ``print``.

    Args:
        output: writes the lines.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, output: LineOutput) -> None:
        self._output = output
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, rest = (self._rest + text).split("\n")
        if len(rest) > MAX_LINE:
            lines, rest = [*lines, rest], ""
        self._rest = rest
        for line in lines:
            self._output.write(f"{line}\n".encode(self.encoding, self.errors))
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return STDERR

    def isatty(self) -> bool:
        return os.isatty(STDERR)


log_output = LineOutput()
"""The log of this process."""

log_stream = LineStream(log_output)
