"""The figures of bench.growth, as a table and a chart."""

from bench.growth.timing import OPERATIONS, Figures
from bench.report.charts import Line, LineChart, Panel


def table(database: str, figures: dict[int, Figures]) -> str:
    """Return a table in Markdown.

    Args:
        database: its name.
        figures: by the number of sessions.
    """
    columns = list(next(iter(figures.values())))
    rows = (
        f"| {size:,} | {' | '.join(f'{row[column]:.2f}' for column in columns)} |"
        for size, row in figures.items()
    )
    return "\n".join(
        [
            f"{database} (ms: medians, and the longest batch of the purge; then bytes per session)",
            "",
            f"| rows | {' | '.join(columns)} |",
            f"| ---: | {' | '.join('---:' for _ in columns)} |",
            *rows,
        ]
    )


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


def _line(operation: str, by_size: dict[int, Figures]) -> Line:
    points = {size: row[operation] for size, row in by_size.items() if row[operation] > 0}
    return Line(operation, list(points), list(points.values()))
