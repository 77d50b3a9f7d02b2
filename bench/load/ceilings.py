"""The rates that no service can exceed: the password hash alone, and the durable commit alone."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench.load.hashing import argon2id, ignore_interrupts, rate
from bench.peers.bare import Sessions
from bench.peers.definition import ALICE, SESSIONS, WORKERS
from bench.peers.prepare import ARGON2ID

PASSWORD = ALICE["PASSWORD"]


def hashes_per_second(seconds: float) -> float:
    """Return how many passwords all workers together verify."""
    verify = partial(argon2id, ARGON2ID, PASSWORD)
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), ignore_interrupts) as processes:
        for start in [processes.submit(verify) for _ in range(2 * WORKERS)]:
            start.result()
        loops = [processes.submit(rate, verify, seconds) for _ in range(WORKERS)]
        return sum(loop.result() for loop in loops)


def commits_per_second(folder: Path, seconds: float) -> float:
    """Return how many sessions one process ends in SQLite, durably, doing nothing else.

    Args:
        folder: on the disk to measure.
        seconds: for how long.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        sessions = Sessions(f"{name}/database", SESSIONS)
        sessions.make()
        return rate(sessions.end_one, seconds)
