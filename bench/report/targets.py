"""What the service aims for, beside what was measured."""

from dataclasses import dataclass

from bench.load.one_round import HAMMERING, Figures
from bench.load.results import Results, cold_start, memory_a_worker, middle
from bench.peers.catalog import AUTHSVC, BARE


@dataclass(frozen=True)
class Target:
    """
    Args:
        what: is measured.
        bound: the least or the most that it should be.
        measured: what it is.
        unit: of both, in words.
        at_most: whether less is better.
    """

    what: str
    bound: float
    measured: float
    unit: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def targets(results: Results) -> list[Target]:
    """Each target that this run can tell; the one about many sessions is bench.growth's."""
    ours = results.of(AUTHSVC)
    bare = results.rate(BARE, "protected")
    hashing = results.hash_rate(AUTHSVC.auth.password_hash if AUTHSVC.auth else "")
    return [
        Target("protected", 0.92, results.rate(AUTHSVC, "protected") / bare, "of bare Flask"),
        Target("refresh", 0.65, results.rate(AUTHSVC, "refresh") / bare, "of bare Flask"),
        Target(
            "login", 0.95, results.rate(AUTHSVC, "login") / hashing, "of the hash alone, all cores"
        ),
        Target(
            "logout",
            0.9,
            results.rate(AUTHSVC, "logout") / results.commit_rate(),
            "of the durable commit alone",
        ),
        Target(
            f"protected p50 while {HAMMERING} clients hammer login",
            5,
            middle(ours, _slowed),
            "times that alone",
            at_most=True,
        ),
        Target("cold start", 800, middle(ours, cold_start), "ms", at_most=True),
        Target("memory", 90, middle(ours, memory_a_worker), "MB a worker", at_most=True),
    ]


def _slowed(figures: Figures) -> float:
    assert figures.alone is not None
    assert figures.hammered is not None
    return figures.hammered.p50 / figures.alone.p50
