"""Where measurements are kept: in this process, or in files that all workers share."""

import os

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it
_MASTER = 0
_number = _MASTER


def share_metrics(folder: str) -> None:
    """Keep what this process measures, and those forked from it, in files of that folder.

    To be called before an app is made: each instrument is bound to where it is kept.
    """
    os.environ[_FOLDER] = folder
    values.ValueClass = values.MultiProcessValue(lambda: _number)


def measure_as(number: int) -> None:
    """In a forked worker: go on in the files of that number, which no other process has now."""
    global _number
    _number = number


def forget_gauges(number: int) -> None:
    """In the master: the worker with that number has ended. What it counted stays counted."""
    mark_process_dead(number)


def exposition(registry: CollectorRegistry) -> bytes:
    """What was measured, by all workers where they share it, in Prometheus' text form."""
    if _FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)
