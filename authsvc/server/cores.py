"""How many worker processes the machine can run at once."""

import os


def worker_count() -> int:
    """Return the number of workers: WEB_CONCURRENCY, or the cores that this process may use."""
    return int(os.environ.get("WEB_CONCURRENCY") or usable_cores())


def usable_cores() -> int:
    """Return the number of cores that this process may use; macOS does not limit them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
