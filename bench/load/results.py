"""All that a run gave, and the medians of its rounds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.load.one_round import Figures, Loaded
from bench.peers.definition import WORKERS, Peer

Ask = Callable[[Figures], float]


@dataclass
class Results:
    """
    Args:
        peers: each peer that was measured, in the order of the tables, with its rounds.
        hashes: of each round, how many hashes of each kind all workers verify in a second.
        commits: of each round, how many durable commits there are in a second.
        left_out: the peers that could not be measured, and why.
    """

    peers: list[tuple[Peer, list[Figures]]] = field(default_factory=list)
    hashes: list[dict[str, float]] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def of(self, peer: Peer) -> list[Figures]:
        return next(rounds for one, rounds in self.peers if one is peer)

    def with_route(self, route: str) -> list[tuple[Peer, list[Loaded]]]:
        """The peers that have it, with its loads."""
        return [
            (peer, [figures.routes[route] for figures in rounds])
            for peer, rounds in self.peers
            if all(route in figures.routes for figures in rounds)
        ]

    def rate(self, peer: Peer, route: str) -> float:
        """Requests a second."""
        return median(figures.routes[route].load.rate for figures in self.of(peer))

    def hash_rate(self, kind: str) -> float:
        return median(rates[kind] for rates in self.hashes)

    def commit_rate(self) -> float:
        return median(self.commits)


def cold_start(figures: Figures) -> float:
    return figures.cold_start


def memory_a_worker(figures: Figures) -> float:
    """MB: what all processes hold, the first one included, shared out among the workers."""
    return figures.memory.shared_out / WORKERS


def largest_process(figures: Figures) -> float:
    return figures.memory.largest


def middle(rounds: list[Figures], ask: Ask) -> float:
    return median(ask(figures) for figures in rounds)
