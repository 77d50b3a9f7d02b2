"""Write to standard error at once or fail: to a pipe, a terminal, a socket or a file."""

import os
import select
import stat
from collections.abc import Callable
from functools import partial
from socket import MSG_DONTWAIT, socket

STDERR = 2

Write = Callable[[bytes], int]


def identity() -> tuple[int, int] | None:
    """Return what names the file that standard error writes to."""
    try:
        status = os.fstat(STDERR)
    except OSError:  # standard error is closed
        return None
    return status.st_dev, status.st_ino


def non_blocking_write() -> Write:
    """Return a function that writes to standard error at once or raises OSError.

    O_NONBLOCK is a property of the open file, which other processes share, such as the shell. So
    a pipe or a terminal is opened once more, and only the new open file is non-blocking.
    """
    try:
        mode = os.fstat(STDERR).st_mode
    except OSError:
        return partial(os.write, STDERR)
    if stat.S_ISSOCK(mode):  # as under systemd
        return _send_now(socket(fileno=os.dup(STDERR)))
    if stat.S_ISREG(mode):  # does not block, and a second open file would have its own position
        return partial(os.write, STDERR)
    try:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
        return partial(os.write, os.open(f"/proc/self/fd/{STDERR}", flags))
    except OSError:  # no /proc, or another user opened the terminal
        return _write_if_ready


def _send_now(connection: socket) -> Write:
    return lambda line: connection.send(line, MSG_DONTWAIT)


def _write_if_ready(line: bytes) -> int:
    """Write to standard error if it takes a line.

    This waits if another process fills the pipe in between, so it is only the fallback.
    """
    ready = select.poll()
    ready.register(STDERR, select.POLLOUT)
    if not ready.poll(0):
        raise BlockingIOError
    return os.write(STDERR, line)
