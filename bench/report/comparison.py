"""What `make bench` writes: its results, and how they came about."""

from bench.load.results import Results
from bench.peers.catalog import OURS
from bench.peers.definition import WORKERS
from bench.report.charts import Bar, BarChart
from bench.report.formatting import short, table
from bench.report.goals import goals
from bench.report.machine import machine, version_of_authsvc, versions
from bench.report.summary import conclusion, summary
from bench.report.tables import tables

COMMAND = "make bench"
TITLES = {
    "protected": "A protected route, requests a second",
    "refresh": "A refresh, requests a second",
}
GOALS = ("goal", "measured", "")


def report(results: Results, *, rounds: int, seconds: float, growth: float | None) -> str:
    """Return the block of docs/performance.md, in Markdown.

    Args:
        results: of the run.
        rounds, seconds: their number, and the length of a load.
        growth: as for `goals`.
    """
    images = "\n".join(f"![{title}]({_file(route)})" for route, title in TITLES.items())
    return "\n\n".join(
        [
            conclusion(results),
            f"Medians of {rounds} rounds of {seconds:g} s for each route; {WORKERS} processes of "
            f"authsvc {version_of_authsvc()} and of each peer on {machine()}. In brackets: authsvc "
            "under gunicorn and under granian, as a multiple of the peer. At cold start and memory "
            "less is better.",
            summary(results),
            *_left_out(results),
            images,
            "### Goals",
            _goals(results, growth),
        ]
    )


def details(results: Results) -> str:
    """Return the block of docs/performance-method.md, in Markdown."""
    measured_on = "\n".join(f"- {line}" for line in [machine(), *versions()])
    return f"{measured_on}\n\n{tables(results)}"


def charts(results: Results) -> dict[str, BarChart]:
    """Return the charts by their file's name."""
    return {
        _file(route): BarChart(
            title,
            [
                Bar(peer.name, [each.load.rate for each in loads], highlighted=peer in OURS)
                for peer, loads in results.with_route(route)
            ],
        )
        for route, title in TITLES.items()
    }


def _goals(results: Results, growth: float | None) -> str:
    return table(
        GOALS,
        (
            (
                goal.name,
                f"at {'most' if goal.at_most else 'least'} {goal.limit:g} {goal.unit}",
                "" if goal.measured is None else short(goal.measured),
                goal.verdict,
            )
            for goal in goals(results, growth=growth)
        ),
    )


def _left_out(results: Results) -> list[str]:
    if not results.left_out:
        return []
    reasons = (f"{name} ({' '.join(why.split())})" for name, why in results.left_out.items())
    return [f"**Left out**, since they could not be measured: {'; '.join(reasons)}."]


def _file(route: str) -> str:
    return f"bench-{route}.svg"
