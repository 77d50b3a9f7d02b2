"""The figures of bench.growth, as a block with tables, and as a chart."""

import re

from bench.growth.timing import OPERATIONS, Figures
from bench.report.charts import Line, LineChart, Panel
from bench.report.formatting import table
from bench.report.machine import machine, version_of_authsvc

COMMAND = "python -m bench.growth"
CHART_FILE = "growth.svg"
COLUMNS = (*OPERATIONS, "longest purge")
SMALL, LARGE = 1_000, 10_000_000
"""The sizes that the goal compares, on Postgres."""
RATIO = "On Postgres a refresh among 10,000,000 sessions costs {} times as much as one among 1,000."


def report(figures: dict[str, dict[int, Figures]]) -> str:
    """Return the whole block, in Markdown.

    Args:
        figures: by database and by the number of sessions.
    """
    postgres = figures["Postgres"]
    ratio = postgres[LARGE]["refresh"] / postgres[SMALL]["refresh"]
    bytes_per_session = sum(size for name, size in postgres[LARGE].items() if name not in COLUMNS)
    return "\n\n".join(
        [
            f"authsvc {version_of_authsvc()} on {machine()}. Milliseconds are medians, and the "
            "longest batch of the purge.",
            f"{RATIO.format(f'{ratio:.2f}')} There a session takes {bytes_per_session:,.0f} bytes, "
            "the indexes included.",
            *(growth_table(database, by_size) for database, by_size in figures.items()),
            f"![Cost by number of sessions]({CHART_FILE})",
        ]
    )


def read_ratio(block: str) -> float | None:
    """Return what `report` wrote about a refresh among 10 million sessions, or None without it."""
    before, after = map(re.escape, RATIO.split("{}"))
    found = re.search(f"{before}([0-9.]+){after}", block)
    return float(found[1]) if found else None


def chart(figures: dict[str, dict[int, Figures]]) -> LineChart:
    """Return the chart of milliseconds by sessions. A purge that had nothing to do is left out.

    Args:
        figures: by database and by the number of sessions.
    """
    return LineChart(
        "sessions in the table",
        [
            Panel(f"{database}, ms", [_line(operation, by_size) for operation in OPERATIONS])
            for database, by_size in figures.items()
        ],
        logarithmic_x=True,
    )


def growth_table(database: str, figures: dict[int, Figures]) -> str:
    """Return the figures of one database by the number of sessions."""
    rows = (
        (f"{database}, {size:,} sessions", *(f"{row[column]:.2f}" for column in COLUMNS))
        for size, row in figures.items()
    )
    return table(COLUMNS, rows)


def _line(operation: str, by_size: dict[int, Figures]) -> Line:
    points = {size: row[operation] for size, row in by_size.items() if row[operation] > 0}
    return Line(operation, list(points), list(points.values()))
