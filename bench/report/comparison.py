"""What `make bench` writes: the service beside its peers, as tables and charts."""

from bench.load.results import Results
from bench.peers.catalog import AUTHSVC
from bench.peers.definition import SESSIONS, WORKERS
from bench.report.charts import Bar, BarChart
from bench.report.machine import machine, versions
from bench.report.tables import tables

COMMAND = "make bench"
TITLES = {
    "protected": "A protected route, requests a second",
    "refresh": f"A refresh among {SESSIONS:,} sessions, requests a second",
    "login": "Logins a second",
}


def report(results: Results, *, rounds: int, seconds: float) -> str:
    """Return the whole block, in Markdown."""
    lines = [
        f"Medians of {rounds} interleaved rounds of {seconds:g} s for each route; {WORKERS} "
        "processes each. Measured on:",
        "",
        f"- {machine()}",
        *(f"- {line}" for line in versions()),
        "",
    ]
    if results.left_out:
        reasons = (f"{name} ({' '.join(why.split())})" for name, why in results.left_out.items())
        lines += [f"**Left out**, since they could not be measured: {'; '.join(reasons)}.", ""]
    images = (f"![{title}]({_file(route)})" for route, title in TITLES.items())
    return "\n".join([*lines, tables(results), "", *images])


def charts(results: Results) -> dict[str, BarChart]:
    """Return the charts by their file's name."""
    return {
        _file(route): BarChart(
            title,
            [
                Bar(peer.name, [each.load.rate for each in loads], highlighted=peer is AUTHSVC)
                for peer, loads in results.with_route(route)
            ],
        )
        for route, title in TITLES.items()
    }


def _file(route: str) -> str:
    return f"bench-{route}.svg"
