"""Whether the service held: nothing grew, and nobody met an error that was not meant."""

from collections.abc import Sequence
from statistics import median

from bench.soak.samples import Sample, total

SIXTHS = 6
MOST_SHARE = 0.05
MOST_MB = 2.0
MOST_FILES = 10
"""A few clients more or fewer may be connected; a leak would be of hundreds in an hour."""


def settled(series: Sequence[float]) -> tuple[float, float]:
    """The medians of the second sixth and of the last one: the first is still filling caches."""
    sixth = len(series) // SIXTHS
    return median(series[sixth : 2 * sixth]), median(series[-sixth:])


def memory_grew(series: Sequence[float]) -> bool:
    """Whether one process holds more than 5 % or 2 MB more at the end.

    Args:
        series: MB.
    """
    before, after = settled(series)
    return after - before > min(MOST_SHARE * before, MOST_MB)


def faults(samples: Sequence[Sample]) -> list[str]:
    """A sentence for each thing that should not have been, whatever the run's length."""
    wrong = total(samples, "wrong")
    told = [f"{times} times: {what}" for what, times in sorted(wrong.items())]
    first = {process.pid for process in samples[0].processes}
    if any({process.pid for process in sample.processes} != first for sample in samples):
        told.append("a process ended, or another one came")
    return told


def growth(samples: Sequence[Sample]) -> list[str]:
    """A sentence for each thing that grew."""
    told = []
    for number, name in enumerate(names(samples)):
        for kind in ("pss", "private"):
            series = [getattr(sample.processes[number], kind) for sample in samples]
            if memory_grew(series):
                told.append(_grew(f"{kind} memory of {name}, MB", series))
    for kind, most in (("files", MOST_FILES), ("threads", 0)):
        series = [sum(getattr(one, kind) for one in sample.processes) for sample in samples]
        before, after = settled(series)
        if after > before + most:
            told.append(_grew(kind, series))
    return told


def names(samples: Sequence[Sample]) -> list[str]:
    """What its processes are."""
    workers = range(1, len(samples[0].processes))
    return ["the first process", *(f"worker {number}" for number in workers)]


def _grew(what: str, series: Sequence[float]) -> str:
    before, after = settled(series)
    return f"{what}: {before:.1f} in the second sixth, {after:.1f} in the last one"
