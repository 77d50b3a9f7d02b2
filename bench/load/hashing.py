"""Passwords verified as fast as a process can; imports little, since processes of its own do it."""

import signal
import time
from collections.abc import Callable

from argon2 import PasswordHasher
from werkzeug.security import check_password_hash


def leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def argon2id(hashed: str, password: str) -> None:
    PasswordHasher().verify(hashed, password)  # by the parameters that the hash tells


def scrypt(hashed: str, password: str) -> None:
    assert check_password_hash(hashed, password)


def rate(do: Callable[[], object], seconds: float) -> float:
    """How often a second that can be done, one after another."""
    done, began = 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds:
        do()
        done += 1
    return done / taken
