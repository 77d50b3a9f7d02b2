"""Where metrics are kept: in this process, or in files that all workers share."""

import os

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the name that prometheus_client reads
_MASTER = 0
_number = _MASTER


def share_metrics(folder: str) -> None:
    """Keep the metrics of this process, and of its forks, in files of that folder.

    Call it before an app is made: each instrument chooses its storage when it is created.
    """
    os.environ[_FOLDER] = folder
    values.ValueClass = values.MultiProcessValue(lambda: _number)


def measure_as(number: int) -> None:
    """In a forked worker: write to the files of that number, which no other process uses now."""
    global _number
    _number = number


def forget_gauges(number: int) -> None:
    """In the master: remove the gauges of a worker that has ended. Its counters stay."""
    mark_process_dead(number)


def exposition(registry: CollectorRegistry) -> bytes:
    """Return the metrics in Prometheus' text format, of all workers where they share files."""
    if _FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)
