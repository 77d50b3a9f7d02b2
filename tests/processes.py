"""Several processes that do the same thing at the same moment."""

import multiprocessing
from collections.abc import Callable
from typing import Any

_processes = multiprocessing.get_context("forkserver")
# Imported once, in the server that the processes are forked from.
_processes.set_forkserver_preload(["authsvc.cli", "click.testing", "pytest"])


def at_once(count: int, do: Callable[..., None], *args: object) -> list[int | None]:
    """Run a module's function in so many processes, let go together; their exit codes."""
    barrier = _processes.Barrier(count)
    started = [_processes.Process(target=_do, args=(barrier, do, args)) for _ in range(count)]
    for process in started:
        process.start()
    for process in started:
        process.join(timeout=60)
    codes = [process.exitcode for process in started]
    for process in started:
        process.kill()
        process.join()
        process.close()
    return codes


def _do(barrier: Any, do: Callable[..., None], args: tuple[object, ...]) -> None:
    barrier.wait(timeout=30)
    do(*args)
