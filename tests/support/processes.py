"""Several processes that run the same function at the same moment, and whether one has ended."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def at_once(count: int, do: Callable[..., None], *args: str) -> list[int]:
    """Run a function of a module in several processes at once, and return their exit codes.

    They are forked from a fresh process without threads: a test process may have threads.
    """
    command = [
        sys.executable,
        "-m",
        "tests.support.processes",
        do.__module__,
        do.__name__,
        str(count),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *args], env=environment, stdout=subprocess.PIPE, check=True, timeout=60
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def has_ended(pid: int) -> bool:
    """Return whether a process holds nothing any more, even if nothing has read its exit code."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")


def _main(module: str, name: str, count: str, *args: str) -> None:
    do = getattr(import_module(module), name)
    forks = multiprocessing.get_context("fork")
    barrier = forks.Barrier(int(count))
    started = [forks.Process(target=_do, args=(barrier, do, args)) for _ in range(int(count))]
    for process in started:
        process.start()
    for process in started:
        process.join()
    print(json.dumps([process.exitcode for process in started]))


def _do(barrier: Any, do: Callable[..., None], args: tuple[str, ...]) -> None:
    barrier.wait(timeout=30)
    do(*args)


if __name__ == "__main__":
    _main(*sys.argv[1:])
