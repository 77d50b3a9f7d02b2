"""The soak's table and chart in docs/performance-method.md."""

from collections.abc import Sequence

from bench.report.charts import Line, LineChart, Panel
from bench.report.machine import machine, version_of_authsvc
from bench.soak.samples import TABLES, Sample, process_names, total
from bench.soak.verdict import early_and_late

COMMAND = "make soak"
CHART_FILE = "soak.svg"
HEADROOM = 1.15


def report(samples: Sequence[Sample], *, rate: float) -> str:
    """Return the whole block, in Markdown.

    Args:
        samples: all of the run.
        rate: requests sent each second.
    """
    statuses = total(samples, "statuses")
    answered = ", ".join(f"{status}: {times:,}" for status, times in sorted(statuses.items()))
    return "\n".join(
        [
            f"{samples[-1].minutes:.0f} minutes at {rate:g} requests a second, authsvc "
            f"{version_of_authsvc()}, on {machine()}. "
            "Medians of the second and of the last sixth of the run, and the minimum and maximum "
            "of all of it:",
            "",
            "| | second sixth | last sixth | minimum | maximum |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_row(name, series, digits) for name, digits, series in _series(samples)),
            "",
            f"Responses by status: {answered}. Every response was one that its step expects.",
            "",
            f"![Memory and latency over the run]({CHART_FILE})",
        ]
    )


def _series(samples: Sequence[Sample]) -> list[tuple[str, int, list[float]]]:
    """Return each row's name, its digits after the point, and its figures."""
    memory = [
        (f"{kind} of {name}, MB", 1, [getattr(one.processes[number], field) for one in samples])
        for kind, field in (("PSS", "pss"), ("private memory", "private"))
        for number, name in enumerate(process_names(samples))
    ]
    counted = [
        (name, 0, [sum(getattr(one, field) for one in sample.processes) for sample in samples])
        for name, field in (("open files, all processes", "files"), ("threads", "threads"))
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
    figures = [*early_and_late(series), min(series), max(series)]
    return f"| {name} | {' | '.join(f'{figure:,.{digits}f}' for figure in figures)} |"


def chart(samples: Sequence[Sample]) -> LineChart:
    """Return a chart of memory, and of latency below it."""
    minutes = [sample.minutes for sample in samples]
    memory = [
        Line(name, minutes, [sample.processes[number].pss for sample in samples])
        for number, name in enumerate(process_names(samples))
    ]
    latency = [
        Line("p50", minutes, [sample.p50 for sample in samples]),
        Line("p99", minutes, [sample.p99 for sample in samples]),
    ]
    return LineChart(
        "minutes",
        [
            _panel("PSS of each process, MB", memory),
            _panel("a protected request, ms", latency),
        ],
    )


def _panel(title: str, lines: list[Line]) -> Panel:
    """Return a panel that cuts off the highest hundredth of a line, if it is far above the rest."""
    return Panel(title, lines, max_y=HEADROOM * max(_percentile_99(line.y) for line in lines))


def _percentile_99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]
