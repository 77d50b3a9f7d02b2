"""A thread that writes the log of a process that serves, a few milliseconds after its requests."""

from collections.abc import Callable, Sized
from contextlib import suppress
from threading import Lock, Thread
from time import sleep

COLLECT_SECONDS = 0.005
"""How long lines are collected. With as much again, after which Python makes a busy thread yield
(`sys.getswitchinterval`), a line is written ten milliseconds after its request at the latest."""

FINISH_SECONDS = 1.0
"""How long a process that ends waits for a file system that does not answer."""


class LogWriter:
    """Writes what waits, and sleeps without a time-out while nothing does.

    Args:
        waiting: the lines that wait.
        write: writes them.
    """

    def __init__(self, waiting: Sized, write: Callable[[], object]) -> None:
        self._waiting = waiting
        self._write = write
        self._stopped = False
        self._woken = Lock()
        self._woken.acquire()
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self.sleeps = False
        """Whether it must be woken when a line waits."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def wake(self) -> None:
        """Look for lines. This waits for no lock: a signal handler may interrupt it, and log."""
        self.sleeps = False
        with suppress(RuntimeError):  # another thread has woken it
            self._woken.release()

    def stop(self) -> None:
        """End, within a second."""
        self._stopped = True
        self.wake()
        self._thread.join(FINISH_SECONDS)

    def _run(self) -> None:
        while not self._stopped:
            sleep(COLLECT_SECONDS)
            if self._waiting:
                self._write()
            else:
                self._sleep()

    def _sleep(self) -> None:
        self.sleeps = True
        if not (self._waiting or self._stopped):  # what came before `sleeps` was set did not wake
            self._woken.acquire()
        self.sleeps = False
