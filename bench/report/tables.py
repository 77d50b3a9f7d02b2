"""The results of a run in detail, as tables in Markdown."""

from collections.abc import Callable
from statistics import median

from bench.load.crowd import BURST_CLIENTS, Crowd
from bench.load.results import (
    Results,
    cold_start,
    largest_process,
    median_of,
    memory_per_worker,
)
from bench.load.route import RouteLoad
from bench.peers.catalog import OURS
from bench.peers.definition import Peer
from bench.report.formatting import short, span, table

LOADS = ("a second", "rounds", "p50 ms", "p99 ms", "CPU µs each", "refused", "lopsided")
CROWDS = ("idle p50 ms", "flooded p50 ms", "flooded p99 ms", f"{BURST_CLIENTS} logins, s", "rounds")
FOOTPRINT = ("server", "cold start ms", "rounds", "PSS, MB a worker", "largest process, RSS MB")


def tables(results: Results) -> str:
    """Return all tables, each under a heading."""
    hashes = ("the hash alone", short(results.hash_rate()), span(results.hashes), *4 * [""], "")
    commits = ("the commit alone", short(results.commit_rate()), span(results.commits), *5 * [""])
    return "\n\n".join(
        [
            "### A protected route\n\n" + _loads(results, "protected"),
            "### Refresh\n\n" + _loads(results, "refresh"),
            "### Refresh of a session that is bound to a key\n\n"
            + _loads(results, "bound refresh"),
            "### Login\n\n" + _loads(results, "login", hashes),
            "### Logout\n\n" + _loads(results, "logout", commits),
            "### A flood and a burst of logins\n\n" + _crowds(results),
            "### Start and memory\n\n" + _footprint(results),
            _starts(results),
        ]
    )


def _loads(results: Results, route: str, *ceilings: tuple[str, ...]) -> str:
    rows = [_load(peer, loads) for peer, loads in results.with_route(route)]
    return table(LOADS, [*ceilings, *rows])


def _load(peer: Peer, loads: list[RouteLoad]) -> tuple[str, ...]:
    def middle(figure: Callable[[RouteLoad], float]) -> float:
        return median(figure(each) for each in loads)

    refused = sum(each.load.refused for each in loads)
    sent = refused + sum(each.load.answered for each in loads)
    return (
        _name(peer),
        short(middle(lambda each: each.load.rate)),
        span([each.load.rate for each in loads]),
        short(middle(lambda each: each.load.p50)),
        short(middle(lambda each: each.load.p99)),
        f"{middle(lambda each: each.cpu_seconds) * 1e6:,.0f}",
        f"{refused / max(1, sent):.0%}",
        str(sum(each.repeats for each in loads)),
    )


def _crowds(results: Results) -> str:
    rows = []
    for peer, rounds in results.peers:
        if seen := [figures.crowd for figures in rounds if figures.crowd]:
            rows.append((_name(peer), *_crowd(seen)))
    return table(CROWDS, rows)


def _crowd(seen: list[Crowd]) -> tuple[str, ...]:
    return (
        short(median(one.alone.p50 for one in seen)),
        short(median(one.flooded.p50 for one in seen)),
        short(median(one.flooded.p99 for one in seen)),
        short(median(one.burst for one in seen)),
        span([one.burst for one in seen]),
    )


def _footprint(results: Results) -> str:
    return table(
        FOOTPRINT,
        (
            (
                _name(peer),
                peer.server,
                f"{median_of(rounds, cold_start):,.0f}",
                span([cold_start(figures) for figures in rounds]),
                f"{median_of(rounds, memory_per_worker):,.0f}",
                f"{median_of(rounds, largest_process):,.0f}",
            )
            for peer, rounds in results.peers
        ),
    )


def _starts(results: Results) -> str:
    flask, shown, completed = (
        f"{median(getattr(one, name) for one in results.starts):,.0f} ms"
        for name in ("flask", "help", "completion")
    )
    return (
        f'`python -c "import flask"` takes {flask}, `authsvc --help` {shown}, and what a shell '
        f"runs for the Tab key {completed}."
    )


def _name(peer: Peer) -> str:
    return f"**{peer.name}**" if peer in OURS else peer.name
