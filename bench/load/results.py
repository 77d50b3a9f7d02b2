"""The figures of all rounds, and their medians."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.load.one_round import Figures
from bench.load.route import RouteLoad
from bench.load.startup import Startup
from bench.peers.definition import WORKERS, Peer

Figure = Callable[[Figures], float]


@dataclass
class Results:
    """What a run measured.

    Args:
        peers: each peer that was measured, in the order of the tables, with its rounds.
        hashes: for each round, the hashes that all workers verify in a second.
        commits: for each round, the durable commits in a second.
        starts: for each round, how long the command line takes to begin.
        left_out: the reason for each peer, or route, that could not be measured, by its name.
    """

    peers: list[tuple[Peer, list[Figures]]] = field(default_factory=list)
    hashes: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    starts: list[Startup] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def rounds_of(self, peer: Peer) -> list[Figures]:
        """Return the rounds of a peer, or nothing if it was left out."""
        return next((rounds for one, rounds in self.peers if one.name == peer.name), [])

    def with_route(self, route: str) -> list[tuple[Peer, list[RouteLoad]]]:
        """Return the peers that have the route, with their loads on it."""
        return [
            (peer, [figures.routes[route] for figures in rounds])
            for peer, rounds in self.peers
            if all(route in figures.routes for figures in rounds)
        ]

    def figure(self, peer: Peer, name: str) -> float | None:
        """Return a median, or None if it was not measured.

        Args:
            peer: whose.
            name: of a route, for its requests a second, or `COLD_START` or `MEMORY`.
        """
        rounds = self.rounds_of(peer)
        if not rounds:
            return None
        if name in FOOTPRINT:
            return median_of(rounds, FOOTPRINT[name])
        if not all(name in figures.routes for figures in rounds):
            return None
        return median(figures.routes[name].load.rate for figures in rounds)

    def hash_rate(self) -> float:
        return median(self.hashes)

    def commit_rate(self) -> float:
        return median(self.commits)


def cold_start(figures: Figures) -> float:
    return figures.cold_start


def memory_per_worker(figures: Figures) -> float:
    """Return the MB of all processes, the first one included, divided by the workers."""
    return figures.memory.pss / WORKERS


def largest_process(figures: Figures) -> float:
    return figures.memory.largest


COLD_START, MEMORY = "cold start", "memory"
FOOTPRINT: dict[str, Figure] = {COLD_START: cold_start, MEMORY: memory_per_worker}
"""The figures of which less is better."""


def median_of(rounds: list[Figures], figure: Figure) -> float:
    return median(figure(figures) for figures in rounds)
