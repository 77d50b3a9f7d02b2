"""A worker process, as the master sees it."""

import mmap
import socket
import struct
import time
from dataclasses import dataclass, field

STUCK_SECONDS = 30
"""A worker whose main thread does not run for so long is killed and replaced."""


class Beats:
    """The time of a process's last sign of life, which it shares with its parent.

    Make it before the fork.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, struct.calcsize("d"))
        self.beat()

    def beat(self) -> None:
        """Give a sign of life."""
        struct.pack_into("d", self._shared, 0, time.monotonic())

    @property
    def age(self) -> float:
        """The seconds since the last one."""
        (last,) = struct.unpack_from("d", self._shared)
        return float(time.monotonic() - last)


@dataclass
class Child:
    """A worker process, as the master sees it.

    Args:
        pid: its process id.
        number: under which it writes its metrics.
        listener: the socket whose connections it accepts.
        beats: its signs of life.
        kill_at: when to kill it, if it was asked to stop.
    """

    pid: int
    number: int
    listener: socket.socket
    beats: Beats
    kill_at: float | None = field(default=None)

    @property
    def is_stuck(self) -> bool:
        return self.beats.age > STUCK_SECONDS
