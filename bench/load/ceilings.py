"""What no service can beat: the password hash alone, and the durable commit alone."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from werkzeug.security import generate_password_hash

from authsvc.users.passwords import Passwords
from bench.load.hashing import argon2id, leave_interrupts, rate, scrypt
from bench.peers.bare import Sessions
from bench.peers.definition import ALICE, SESSIONS, WORKERS

PASSWORD = ALICE["PASSWORD"]
ARGON2ID = Passwords(min_length=len(PASSWORD)).hash(PASSWORD)
"""The hash of Alice's password as the service makes it; peers are given the same."""


def hashes_a_second(seconds: float) -> dict[str, float]:
    """How many passwords as many processes as there are workers verify, by the kind of hash."""
    kinds = {
        "argon2id": partial(argon2id, ARGON2ID, PASSWORD),
        "scrypt": partial(scrypt, generate_password_hash(PASSWORD), PASSWORD),
    }
    rates = {}
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), leave_interrupts) as processes:
        for name, verify in kinds.items():
            for start in [processes.submit(verify) for _ in range(2 * WORKERS)]:
                start.result()
            loops = [processes.submit(rate, verify, seconds) for _ in range(WORKERS)]
            rates[name] = sum(loop.result() for loop in loops)
    return rates


def commits_a_second(folder: Path, seconds: float) -> float:
    """How often one process ends a session in SQLite, durably, and does nothing else.

    Args:
        folder: on the disk whose commits are to be measured.
        seconds: for how long.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        sessions = Sessions(f"{name}/database", SESSIONS)
        sessions.make()
        return rate(sessions.end_one, seconds)
