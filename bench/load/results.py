"""The figures of all rounds, and their medians."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.load.one_round import Figures, RouteLoad
from bench.peers.definition import WORKERS, Peer

Figure = Callable[[Figures], float]


@dataclass
class Results:
    """What a run measured.

    Args:
        peers: each peer that was measured, in the order of the tables, with its rounds.
        hashes: for each round, the hashes of each kind that all workers verify in a second.
        commits: for each round, the durable commits in a second.
        left_out: the reason for each peer that could not be measured, by its name.
    """

    peers: list[tuple[Peer, list[Figures]]] = field(default_factory=list)
    hashes: list[dict[str, float]] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def rounds_of(self, peer: Peer) -> list[Figures]:
        return next(rounds for one, rounds in self.peers if one is peer)

    def with_route(self, route: str) -> list[tuple[Peer, list[RouteLoad]]]:
        """Return the peers that have the route, with their loads on it."""
        return [
            (peer, [figures.routes[route] for figures in rounds])
            for peer, rounds in self.peers
            if all(route in figures.routes for figures in rounds)
        ]

    def rate(self, peer: Peer, route: str) -> float:
        """Return the median of requests a second."""
        return median(figures.routes[route].load.rate for figures in self.rounds_of(peer))

    def hash_rate(self, kind: str) -> float:
        return median(rates[kind] for rates in self.hashes)

    def commit_rate(self) -> float:
        return median(self.commits)


def cold_start(figures: Figures) -> float:
    return figures.cold_start


def memory_per_worker(figures: Figures) -> float:
    """Return the MB of all processes, the first one included, divided by the workers."""
    return figures.memory.pss / WORKERS


def largest_process(figures: Figures) -> float:
    return figures.memory.largest


def median_of(rounds: list[Figures], figure: Figure) -> float:
    return median(figure(figures) for figures in rounds)
