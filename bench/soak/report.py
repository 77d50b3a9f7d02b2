"""The soak's table and plot in docs/performance.md."""

from collections.abc import Sequence
from statistics import median

from bench.report.machine import machine, version_of_authsvc
from bench.report.svg import COLOURS, GRID, Picture
from bench.soak.samples import TABLES, Sample, total
from bench.soak.verdict import names, settled

BY = "make soak"
PLOT = "soak.svg"
WIDTH, EDGE, NAMES = 640, 60, 110
TALL, LOW, GAP = 220, 110, 50


def report(samples: Sequence[Sample], *, rate: float) -> str:
    """The whole block, in Markdown.

    Args:
        samples: all of the run.
        rate: requests offered each second.
    """
    statuses = total(samples, "statuses")
    answered = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    return "\n".join(
        [
            f"{samples[-1].minutes:.0f} minutes at {rate:g} requests a second, authsvc "
            f"{version_of_authsvc()}, on {machine()}. "
            "Medians of the second and of the last sixth of the run, and the most and the least "
            "of all of it:",
            "",
            "| | second sixth | last sixth | least | most |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_row(name, series, digits) for name, digits, series in _series(samples)),
            "",
            f"Answers by status: {answered}. Not one was another than its step should have.",
            "",
            f"![Memory and latency over the run]({PLOT})",
        ]
    )


def _series(samples: Sequence[Sample]) -> list[tuple[str, int, list[float]]]:
    """Each row's name, its digits after the point, and its figures."""
    memory = [
        (f"{kind} of {name}, MB", 1, [getattr(one.processes[number], field) for one in samples])
        for kind, field in (("PSS", "pss"), ("private memory", "private"))
        for number, name in enumerate(names(samples))
    ]
    counted = [
        (words, 0, [sum(getattr(one, field) for one in sample.processes) for sample in samples])
        for words, field in (("open files, all processes", "files"), ("threads", "threads"))
    ]
    rows = [(f"rows of `{table}`", 0, [one.rows[table] for one in samples]) for table in TABLES]
    return [
        *memory,
        *counted,
        ("database, MB", 1, [sample.database for sample in samples]),
        *rows,
        ("protected request, p50 ms", 2, [sample.p50 for sample in samples]),
        ("protected request, p99 ms", 1, [sample.p99 for sample in samples]),
    ]


def _row(name: str, series: list[float], digits: int) -> str:
    figures = [*settled(series), min(series), max(series)]
    return f"| {name} | {' | '.join(f'{figure:,.{digits}f}' for figure in figures)} |"


def plot(samples: Sequence[Sample]) -> str:
    """Memory above, latency below, as SVG."""
    picture = Picture(WIDTH, TALL + LOW + 2 * GAP + 30)
    minutes = [sample.minutes for sample in samples]
    memory = {
        name: [sample.processes[number].pss for sample in samples]
        for number, name in enumerate(names(samples))
    }
    latency = {
        "p50": [sample.p50 for sample in samples],
        "p99": [sample.p99 for sample in samples],
    }
    _panel(picture, GAP, TALL, "PSS of each process, MB", minutes, memory)
    top = TALL + 2 * GAP
    _panel(picture, top, LOW, "a protected request, ms", minutes, latency)
    for mark in range(7):
        at = mark * minutes[-1] / 6
        x = EDGE + (WIDTH - EDGE - NAMES) * at / minutes[-1]
        picture.text(x, top + LOW + 18, f"{at:.0f} min", anchor="middle")
    return picture.render()


def _panel(
    picture: Picture,
    top: int,
    height: int,
    title: str,
    minutes: list[float],
    lines: dict[str, list[float]],
) -> None:
    """Lines over the minutes, from zero on; single values may be cut off at the top."""
    width = WIDTH - EDGE - NAMES
    every = _step(1.15 * max(_high(values) for values in lines.values()))
    highest = every * 4

    def y(value: float) -> float:
        return top + height * (1 - min(value, highest) / highest)

    picture.text(EDGE, top - 14, title)
    for mark in range(5):
        picture.line([(EDGE, y(mark * every)), (EDGE + width, y(mark * every))], stroke=GRID)
        picture.text(EDGE - 6, y(mark * every) + 4, f"{mark * every:g}", anchor="end")
    lowest = top + height + 12.0
    ends = sorted(((y(median(values[-6:])), name) for name, values in lines.items()), reverse=True)
    for end, name in ends:  # words from the lowest line up, none upon another
        lowest = min(end + 4, lowest - 14)
        colour = COLOURS[list(lines).index(name)]
        picture.text(EDGE + width + 6, lowest, name, fill=colour)
    for colour, values in zip(COLOURS, lines.values(), strict=False):
        points = [
            (EDGE + width * at / minutes[-1], y(value))
            for at, value in zip(minutes, values, strict=True)
        ]
        picture.line(points, stroke=colour, width=2)


def _high(values: list[float]) -> float:
    """What all but the highest hundredth stay below."""
    return sorted(values)[int(0.99 * (len(values) - 1))]


def _step(highest: float) -> float:
    """A round number, four of which reach so high."""
    return next(
        digit * 10.0**power
        for power in range(-3, 6)
        for digit in (1, 2, 2.5, 5)
        if digit * 10.0**power * 4 >= highest
    )
