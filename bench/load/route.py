"""The load on one route of a running server, repeated if one process served nearly all of it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from bench.load.wrk import Load, Refusals, Request, load
from bench.peers.definition import WORKERS
from bench.peers.server import Server

CONNECTIONS = 16
LOGIN_CONNECTIONS = 8
LOGIN_FACTOR = 2
"""Logins are measured for longer: they are few, and clients that were refused wait for a second."""
MIN_SHARE = 0.5 / WORKERS
MAX_REPEATS = 4


@dataclass(frozen=True)
class RouteLoad:
    """The load on one route.

    Args:
        load: the one that counts.
        cpu_seconds: CPU time of the server for each response.
        repeats: how many loads before it were lopsided.
    """

    load: Load
    cpu_seconds: float
    repeats: int = 0


@dataclass(frozen=True)
class Pace:
    """How long a route is loaded, in seconds.

    Args:
        seconds: while it is measured.
        warm_up: before that.
    """

    seconds: float
    warm_up: float = 0.5

    @property
    def of_logins(self) -> "Pace":
        return replace(self, seconds=LOGIN_FACTOR * self.seconds)


@dataclass(frozen=True)
class Route:
    """How a route is loaded.

    Args:
        request: returns what to send in a load of so many seconds.
        pace: how long.
        connections: the number of clients.
        refusals: what a client does after a refusal.
        used: called with the number of responses after each load.
        repeats: how often a lopsided load may be repeated.
    """

    request: Callable[[float], Request]
    pace: Pace
    connections: int = CONNECTIONS
    refusals: Refusals = "fail"
    used: Callable[[int], None] = lambda answered: None
    repeats: int = MAX_REPEATS


def login_route(request: Request, pace: Pace) -> Route:
    """Return the load of logins, of which refused ones wait and are sent again."""
    return Route(lambda _: request, pace.of_logins, LOGIN_CONNECTIONS, refusals="wait")


def load_route(server: Server, route: Route) -> RouteLoad:
    """Load a route until a load is not lopsided.

    Raises:
        LoadFailed: a response was not what it should be.
    """
    pace, connections, refusals = route.pace, route.connections, route.refusals
    if pace.warm_up:
        request = route.request(pace.warm_up)
        warm = load(request, seconds=pace.warm_up, connections=connections, refusals=refusals)
        route.used(warm.answered)
    repeats = 0
    while True:
        request = route.request(pace.seconds)
        measured, cpu_seconds = measured_load(server, request, pace, connections, refusals)
        route.used(measured.load.answered)
        if repeats == route.repeats or not is_lopsided(cpu_seconds):
            return replace(measured, repeats=repeats)
        repeats += 1


def is_lopsided(cpu_seconds: Collection[float]) -> bool:
    """Return whether a worker did less than half of its share, by the processes' CPU time.

    A connection stays with the worker that accepted it. Sometimes one worker accepts all those
    that wrk opens at once, and the load then measures one core, for every peer alike.
    """
    if len(cpu_seconds) < WORKERS:
        return True
    return sorted(cpu_seconds)[-WORKERS] < MIN_SHARE * sum(cpu_seconds)


def measured_load(
    server: Server,
    request: Request,
    pace: Pace,
    connections: int = CONNECTIONS,
    refusals: Refusals = "fail",
) -> tuple[RouteLoad, Collection[float]]:
    """Return the load, and the CPU time that each process of the server spent on it."""
    before = server.cpu_seconds()
    result = load(request, seconds=pace.seconds, connections=connections, refusals=refusals)
    after = server.cpu_seconds()
    cpu_seconds = [seconds - before.get(pid, 0) for pid, seconds in after.items()]
    return RouteLoad(result, sum(cpu_seconds) / max(1, result.answered)), cpu_seconds
