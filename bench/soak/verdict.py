"""Whether the run passed: nothing grew, and every response was right."""

from collections.abc import Sequence
from statistics import median

from bench.soak.samples import Sample, process_names, total

SIXTHS = 6
MAX_GROWTH_SHARE = 0.05
MAX_GROWTH_MB = 2.0
MAX_MORE_FILES = 10
"""A few clients more or fewer may be connected; a leak adds hundreds in an hour."""


def early_and_late(series: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the second and of the last sixth. Caches fill in the first sixth."""
    sixth = len(series) // SIXTHS
    return median(series[sixth : 2 * sixth]), median(series[-sixth:])


def memory_grew(series: Sequence[float]) -> bool:
    """Return whether the memory of a process, in MB, grew by more than 5 % or 2 MB."""
    early, late = early_and_late(series)
    return late - early > min(MAX_GROWTH_SHARE * early, MAX_GROWTH_MB)


def faults(samples: Sequence[Sample]) -> list[str]:
    """Return a sentence for each kind of wrong response, and if the processes changed."""
    wrong = total(samples, "wrong")
    sentences = [f"{times} times: {step}" for step, times in sorted(wrong.items())]
    first = {process.pid for process in samples[0].processes}
    if any({process.pid for process in sample.processes} != first for sample in samples):
        sentences.append("a process ended or was added")
    return sentences


def growth(samples: Sequence[Sample]) -> list[str]:
    """Return a sentence for everything that grew."""
    sentences = []
    for number, name in enumerate(process_names(samples)):
        for kind in ("pss", "private"):
            series = [getattr(sample.processes[number], kind) for sample in samples]
            if memory_grew(series):
                sentences.append(_describe(f"{kind} memory of {name}, MB", series))
    for kind, allowed in (("files", MAX_MORE_FILES), ("threads", 0)):
        series = [sum(getattr(one, kind) for one in sample.processes) for sample in samples]
        early, late = early_and_late(series)
        if late > early + allowed:
            sentences.append(_describe(kind, series))
    return sentences


def _describe(name: str, series: Sequence[float]) -> str:
    early, late = early_and_late(series)
    return f"{name}: {early:.1f} in the second sixth, {late:.1f} in the last one"
