"""The service's targets, beside what was measured."""

from dataclasses import dataclass

from bench.load.one_round import LOGIN_FLOOD_CONNECTIONS, Figures
from bench.load.results import Results, cold_start, median_of, memory_per_worker
from bench.peers.catalog import AUTHSVC, BARE


@dataclass(frozen=True)
class Target:
    """A limit for one figure.

    Args:
        name: of the figure.
        limit: the least or the most that it should be.
        measured: what it is.
        unit: of both, in words.
        at_most: whether less is better.
    """

    name: str
    limit: float
    measured: float
    unit: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit


def targets(results: Results) -> list[Target]:
    """Return the targets of this run. bench.growth measures the one for many sessions."""
    ours = results.rounds_of(AUTHSVC)
    bare = results.rate(BARE, "protected")
    hash_rate = results.hash_rate(AUTHSVC.auth.password_hash if AUTHSVC.auth else "")
    login, logout = results.rate(AUTHSVC, "login"), results.rate(AUTHSVC, "logout")
    refresh, bound = (results.rate(AUTHSVC, route) for route in ("refresh", "bound refresh"))
    return [
        Target("protected", 0.92, results.rate(AUTHSVC, "protected") / bare, "of bare Flask"),
        Target("refresh", 0.65, refresh / bare, "of bare Flask"),
        Target("bound refresh", 0.6, bound / refresh, "of one that is not bound"),
        Target("login", 0.95, login / hash_rate, "of the hash alone, all cores"),
        Target("logout", 0.9, logout / results.commit_rate(), "of the durable commit alone"),
        Target(
            f"protected p50 while {LOGIN_FLOOD_CONNECTIONS} clients flood login",
            5,
            median_of(ours, _slowdown),
            "times that alone",
            at_most=True,
        ),
        Target("cold start", 800, median_of(ours, cold_start), "ms", at_most=True),
        Target("memory", 90, median_of(ours, memory_per_worker), "MB a worker", at_most=True),
    ]


def _slowdown(figures: Figures) -> float:
    assert figures.alone is not None
    assert figures.flooded is not None
    return figures.flooded.p50 / figures.alone.p50
