"""The service's goals, beside what was measured."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.load.crowd import BURST_CLIENTS, FLOOD_CONNECTIONS, Crowd
from bench.load.results import COLD_START, MEMORY, Results
from bench.peers.catalog import AUTHSVC, BARE, EXPRESS, FAST_API, GRANIAN, JWT_EXTENDED, OTHERS
from bench.peers.definition import Peer

SERVERS = {"gunicorn": AUTHSVC, "granian": GRANIAN}
NOT_MET = "**not met**"


@dataclass(frozen=True)
class Goal:
    """A limit for one figure.

    Args:
        name: of the figure.
        limit: the least or the most that it should be.
        unit: of both, in words.
        measured: what it is, or None if it was not measured.
        at_most: whether less is better.
    """

    name: str
    limit: float
    unit: str
    measured: float | None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    @property
    def verdict(self) -> str:
        return {True: "met", False: NOT_MET, None: "not measured"}[self.met]


def goals(results: Results, *, growth: float | None) -> list[Goal]:
    """Return the goals of this run.

    Args:
        results: of the run.
        growth: the cost of a refresh among 10 million sessions as a multiple of that among one
            thousand, which bench.growth measures.
    """
    return [
        *_rates(results),
        *_logins_and_logouts(results),
        Goal("10 million sessions", 1.25, "times a refresh among 1,000", growth, at_most=True),
        *_footprint(results),
    ]


def faster(results: Results, name: str) -> float | None:
    """Return the service's figure under the server that serves more of these requests."""
    figures = [results.figure(peer, name) for peer in SERVERS.values()]
    return max(filter(None, figures), default=None)


def to(ours: float | None, other: float | None) -> float | None:
    """Return one figure as a multiple of another, or None if one is missing."""
    return ours / other if ours and other else None


def _rates(results: Results) -> list[Goal]:
    def goal(name: str, limit: float, ours: float | None, route: str, peer: Peer) -> Goal:
        unit = f"times {peer.name.partition(',')[0]}"
        return Goal(name, limit, unit, to(ours, results.figure(peer, route)))

    rows = []
    for route, times_fast_api, times_express in (("protected", 2, 1.2), ("refresh", 3, 1.0)):
        name, best = f"{route}, the faster server", faster(results, route)
        rows.append(goal(name, times_fast_api, best, route, FAST_API))
        rows.append(goal(name, times_express, best, route, EXPRESS))
    for route, times_fast_api, times_extended in (("protected", 1, 1.8), ("refresh", 2, 3)):
        name, ours = f"{route}, gunicorn", results.figure(AUTHSVC, route)
        rows.append(goal(name, times_fast_api, ours, route, FAST_API))
        rows.append(goal(name, times_extended, ours, route, JWT_EXTENDED))
    for server, peer in SERVERS.items():
        bound = to(results.figure(peer, "bound refresh"), results.figure(peer, "refresh"))
        rows.append(Goal(f"bound refresh, {server}", 0.6, "of an unbound one", bound))
    return rows


def _logins_and_logouts(results: Results) -> list[Goal]:
    peers = filter(None, (results.figure(peer, "login") for peer in OTHERS))
    login = to(faster(results, "login"), max(peers, default=None))
    logout = to(results.figure(AUTHSVC, "logout"), results.figure(BARE, "logout"))
    burst, flood = f"{BURST_CLIENTS} logins at once", f"{FLOOD_CONNECTIONS} clients hammer login"
    return [
        Goal("login, the faster server", 1, "times the best peer", login),
        *(
            Goal(
                f"{burst}, {server}",
                2,
                "s until the last has its 200",
                _crowd(results, peer, lambda seen: seen.burst),
                at_most=True,
            )
            for server, peer in SERVERS.items()
        ),
        *(
            Goal(
                f"{flood}, {server}",
                5,
                "times the idle p50 of a protected route",
                _crowd(results, peer, lambda seen: seen.flooded.p50 / seen.alone.p50),
                at_most=True,
            )
            for server, peer in SERVERS.items()
        ),
        Goal("logout, gunicorn, SQLite", 0.5, "of bare Flask with one commit", logout),
    ]


def _footprint(results: Results) -> list[Goal]:
    commands = (max(one.help, one.completion) / one.flask for one in results.starts)
    start = to(results.figure(AUTHSVC, COLD_START), results.figure(FAST_API, COLD_START))
    return [
        Goal(
            "`authsvc --help` and the Tab key",
            round(0.25 / 0.15, 2),
            'times `python -c "import flask"`',
            median(commands) if results.starts else None,
            at_most=True,
        ),
        Goal("cold start, gunicorn", 0.7, "times FastAPI", start, at_most=True),
        *(
            Goal(f"memory, {server}", 90, "MB a worker", results.figure(peer, MEMORY), at_most=True)
            for server, peer in SERVERS.items()
        ),
    ]


def _crowd(results: Results, peer: Peer, figure: Callable[[Crowd], float]) -> float | None:
    seen = [figures.crowd for figures in results.rounds_of(peer)]
    return median(figure(one) for one in seen if one) if seen and all(seen) else None
