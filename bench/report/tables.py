"""The results of a run, as tables in Markdown."""

from collections.abc import Iterable
from statistics import median

from bench.load.one_round import RouteLoad
from bench.load.results import Results, cold_start, largest_process, median_of, memory_per_worker
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.definition import Peer
from bench.report.targets import targets

REQUESTS = (
    "requests/s", "rounds", "to bare Flask", "p50 ms", "p99 ms", "CPU µs each", "lopsided",
)  # fmt: skip
LOGINS = (
    "logins/s", "rounds", "hash", "to the hash alone", "p50 ms", "p99 ms", "refused", "lopsided",
)  # fmt: skip
LOGOUTS = ("logouts/s", "rounds", "to the commit alone", "p50 ms", "p99 ms", "CPU µs each")
FOOTPRINT = ("server", "cold start ms", "PSS, MB a worker", "largest process, RSS MB")
BOUND = "session bound to a key"
TARGETS = ("target", "measured", "")


def tables(results: Results) -> str:
    """Return all tables, each under a heading."""
    return "\n\n".join(
        [
            "### Targets\n\n" + _targets(results),
            "### A protected route\n\n" + _requests(results, "protected"),
            "### Refresh\n\n" + _requests(results, "refresh", "bound refresh"),
            "### Login\n\n" + _logins(results),
            "### Logout\n\n" + _logouts(results),
            "### Start and memory\n\n" + _footprint(results),
        ]
    )


def _targets(results: Results) -> str:
    return _table(
        TARGETS,
        (
            (
                target.name,
                f"at {'most' if target.at_most else 'least'} {target.limit:g} {target.unit}",
                _short(target.measured),
                "met" if target.met else "**not met**",
            )
            for target in targets(results)
        ),
    )


def _requests(results: Results, *routes: str) -> str:
    bare = results.rate(BARE, "protected")
    return _table(
        REQUESTS,
        (
            (
                f"{_name(peer)}, {BOUND}" if route == "bound refresh" else _name(peer),
                *_rates(loads),
                f"{_rate(loads) / bare:.2f}",
                *_latencies(loads),
                _cpu(loads),
                _lopsided(loads),
            )
            for route in routes
            for peer, loads in results.with_route(route)
        ),
    )


def _logins(results: Results) -> str:
    def row(peer: Peer, loads: list[RouteLoad]) -> tuple[str, ...]:
        assert peer.auth is not None
        kind = peer.auth.password_hash
        refused = sum(each.load.refused for each in loads)
        sent = refused + sum(each.load.answered for each in loads)
        share = f"{_rate(loads) / results.hash_rate(kind):.2f}"
        refusals = f"{refused / max(1, sent):.0%}"
        return (
            _name(peer),
            *_rates(loads),
            kind,
            share,
            *_latencies(loads),
            refusals,
            _lopsided(loads),
        )

    alone = [
        (f"{kind} alone", _short(results.hash_rate(kind)), _span(rates), kind, "1", "", "", "", "")
        for kind in results.hashes[0]
        for rates in [[each[kind] for each in results.hashes]]
    ]
    return _table(
        LOGINS, [*alone, *(row(peer, loads) for peer, loads in results.with_route("login"))]
    )


def _logouts(results: Results) -> str:
    commits = results.commit_rate()
    alone = ("durable commit alone", _short(commits), _span(results.commits), "1", "", "", "")
    return _table(
        LOGOUTS,
        [
            alone,
            *(
                (
                    _name(peer),
                    *_rates(loads),
                    f"{_rate(loads) / commits:.2f}",
                    *_latencies(loads),
                    _cpu(loads),
                )
                for peer, loads in results.with_route("logout")
            ),
        ],
    )


def _footprint(results: Results) -> str:
    return _table(
        FOOTPRINT,
        (
            (
                _name(peer),
                peer.server,
                *(
                    f"{median_of(rounds, figure):,.0f}"
                    for figure in (cold_start, memory_per_worker, largest_process)
                ),
            )
            for peer, rounds in results.peers
        ),
    )


def _name(peer: Peer) -> str:
    return f"**{peer.name}**" if peer is AUTHSVC else peer.name


def _rate(loads: list[RouteLoad]) -> float:
    return median(each.load.rate for each in loads)


def _rates(loads: list[RouteLoad]) -> tuple[str, str]:
    return _short(_rate(loads)), _span([each.load.rate for each in loads])


def _latencies(loads: list[RouteLoad]) -> tuple[str, str]:
    p50 = median(each.load.p50 for each in loads)
    p99 = median(each.load.p99 for each in loads)
    return _short(p50), _short(p99)


def _cpu(loads: list[RouteLoad]) -> str:
    return f"{median(each.cpu_seconds for each in loads) * 1e6:,.0f}"


def _lopsided(loads: list[RouteLoad]) -> str:
    return str(sum(each.repeats for each in loads))


def _span(figures: list[float]) -> str:
    """Return the slowest and the fastest round."""
    return f"{_short(min(figures))} to {_short(max(figures))}"


def _short(figure: float) -> str:
    """Return at least three significant digits."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text_columns = ("server", "hash", "target", "")
    rules = ["---" if column in text_columns else "---:" for column in columns]
    lines = [("", *columns), ("---", *rules), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
