"""Verify passwords as fast as a process can. Worker processes import this, so it imports little."""

import signal
import time
from collections.abc import Callable

from argon2 import PasswordHasher


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def argon2id(hashed: str, password: str) -> None:
    PasswordHasher().verify(hashed, password)  # with the parameters that are in the hash


def rate(call: Callable[[], object], seconds: float) -> float:
    """Return how often a second the function can be called, one call after another."""
    calls, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        call()
        calls += 1
    return calls / elapsed
