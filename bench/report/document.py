"""docs/performance.md: the block between two markers is the run's; what is around it stays."""

from pathlib import Path

from bench.load.results import Results
from bench.peers.catalog import AUTHSVC
from bench.peers.definition import SESSIONS, WORKERS
from bench.report.bars import Bar, bars
from bench.report.machine import machine, versions
from bench.report.tables import tables

BY = "make bench"
BEGIN, END = f"<!-- {BY} writes from here -->", f"<!-- {BY} writes to here -->"
PLOTS = {
    "protected": "A protected route, requests a second",
    "refresh": f"A refresh among {SESSIONS:,} sessions, requests a second",
    "login": "Logins a second",
}


def report(results: Results, *, rounds: int, seconds: float) -> str:
    """The whole block, in Markdown."""
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
    pictures = (f"![{title}]({_file(route)})" for route, title in PLOTS.items())
    return "\n".join([*lines, tables(results), "", *pictures])


def plots(results: Results) -> dict[str, str]:
    """The pictures, by their file's name."""
    return {
        _file(route): bars(
            title,
            [
                Bar(peer.name, [one.load.rate for one in loads], ours=peer is AUTHSVC)
                for peer, loads in results.with_route(route)
            ],
        )
        for route, title in PLOTS.items()
    }


def write(page: Path, block: str, pictures: dict[str, str], *, by: str = BY) -> None:
    """Put the block between the page's markers, and the pictures beside the page.

    Args:
        page: docs/performance.md, which has other blocks beside this one.
        block: in Markdown.
        pictures: by their file's name.
        by: the command that the block's markers name.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = BEGIN.replace(BY, by), END.replace(BY, by)
    before, found, rest = page.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"{page} has no line {begin} with a line {end} below it")
    page.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}")
    for name, picture in pictures.items():
        (page.parent / name).write_text(picture)


def _file(route: str) -> str:
    return f"bench-{route}.svg"
