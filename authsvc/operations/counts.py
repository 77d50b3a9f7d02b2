"""Where counts are kept: in this process, or in files that all workers of one gunicorn share."""

import os

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
_MASTER = 0
_counting_as = _MASTER


def share_counts(folder: str) -> None:
    """Keep the counts of this process, and of those forked from it, in files of that folder.

    To be called before an app is made: what it measures is bound to where it is counted.
    """
    os.environ[_FOLDER] = folder
    values.ValueClass = values.MultiProcessValue(lambda: _counting_as)


def count_as(number: int) -> None:
    """In a forked worker: count on in the files of that number, which no other process has now."""
    global _counting_as
    _counting_as = number


def forget_gauges(number: int) -> None:
    """In the master: the worker with that number has ended. What it counted stays counted."""
    mark_process_dead(number)


def exposition(registry: CollectorRegistry) -> bytes:
    """What was measured, by all workers where they share their counts, as Prometheus reads it."""
    if _FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)
