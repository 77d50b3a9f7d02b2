"""Standard error, written in whole lines and without ever waiting for its reader."""

import atexit
import io
import os
from collections import deque
from threading import Lock

from authsvc.monitoring.dropped_lines import DroppedLines
from authsvc.monitoring.log_writer import LogWriter
from authsvc.monitoring.standard_error import STDERR, identity, non_blocking_write

MAX_LINE = 4096
"""Bytes of a line, and of lines that are written together: Linux writes as many to a pipe in one
piece, or none of them (PIPE_BUF)."""

MAX_WAITING = 1024
"""Lines that may wait for the writer: 4 MB at the most, half a megabyte of usual lines. A worker
serves some twenty requests between two writes, so more wait only if a file system hangs."""


class LineOutput:
    """Writes each line, or drops and counts it.

    A full disk, a full pipe or a reader that is gone must neither delay nor fail a request.
    """

    def __init__(self) -> None:
        self._write, self._file = non_blocking_write(), identity()
        self._ends_in_half_a_line = False
        self._writer: LogWriter | None = None
        self._waiting: deque[bytes] = deque()
        self._writing = Lock()
        self.dropped = DroppedLines()

    def write(self, line: bytes, *, soon: bool = False) -> None:
        """Write a line after those that wait, or drop it.

        Args:
            line: ends in a newline.
            soon: leave it to this process's writer, if there is one, without a system call. If the
                process is killed before the writer's turn, the line is lost.
        """
        writer = self._writer
        if writer is None and not self._waiting:
            self._put(line, 1)
        elif len(self._waiting) >= MAX_WAITING:
            self.dropped.add(1)
        else:
            self._waiting.append(line)
            if writer is None or not soon:
                self._write_waiting()
            elif writer.sleeps:
                writer.wake()

    def start_writer(self) -> None:
        """Start this process's writer. A fork has none, until it calls this function too."""
        self._writer = LogWriter(self._waiting, self._write_waiting)
        self._writer.start()
        atexit.register(self.stop_writer)

    def stop_writer(self) -> None:
        """Write what waits, and from now on each line at once.

        A process that serves calls this when it ends. It does nothing where no writer was started.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.stop()
        self._write_waiting()

    def forget_writer(self) -> None:
        """In a fork: leave the lines that wait to the process that has the writer."""
        self._writer, self._writing = None, Lock()
        self._waiting.clear()

    def follow_redirection(self) -> None:
        """Write to the current standard error, if it was redirected since the last call."""
        if identity() != self._file:
            self._write, self._file = non_blocking_write(), identity()

    def _write_waiting(self) -> None:
        """Write the lines that wait, unless another thread does so and will find them.

        It does not wait for that thread: this may also be a signal handler that interrupted it.
        """
        while self._waiting and self._writing.acquire(blocking=False):
            try:
                while self._waiting:
                    self._put(*self._join_waiting())
            finally:
                self._writing.release()

    def _join_waiting(self) -> tuple[bytes, int]:
        """Take as many lines as fit into one piece, and return them joined, and their number."""
        lines = [self._waiting.popleft()]
        room = MAX_LINE - len(lines[0])
        while self._waiting and len(self._waiting[0]) <= room:
            lines.append(self._waiting.popleft())
            room -= len(lines[-1])
        return b"".join(lines), len(lines)

    def _put(self, piece: bytes, lines: int) -> None:
        if len(piece) > MAX_LINE:  # then it is one line
            piece = piece[: MAX_LINE - 1] + b"\n"
        if self._ends_in_half_a_line:
            piece = b"\n" + piece
        try:
            written = self._write(piece)
        except OSError:
            self.dropped.add(lines)
            return
        self._ends_in_half_a_line = False
        if rest := piece[written:]:  # on a full disk or a terminal
            self._ends_in_half_a_line = not piece[:written].endswith(b"\n")
            self.dropped.add(rest.count(b"\n"))


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

os.register_at_fork(after_in_child=log_output.forget_writer)
