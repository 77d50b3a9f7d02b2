"""One round of one peer: start its server, put load on each of its routes, and end it."""

import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from bench.load.peer_requests import bound_refresh, peer_requests
from bench.load.wrk import Load, LoadFailed, Refusals, Request, load
from bench.peers.definition import WORKERS
from bench.peers.prepare import Prepared
from bench.peers.server import Memory, Server

CONNECTIONS = 16
LOGIN_CONNECTIONS = 8
LOGIN_FACTOR = 3
"""Logins are measured for longer: clients refused in the first rush wait for seconds."""
LOGIN_FLOOD_CONNECTIONS = 8
MIN_SHARE = 0.5 / WORKERS
MAX_REPEATS = 9


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
class Figures:
    """The results of one round.

    Args:
        cold_start: milliseconds from the start to the first response.
        memory: after all of the load.
        routes: by name: protected, refresh, bound refresh, login, logout; only those that the
            peer has.
        alone, flooded: one client on the protected route, without other load and while others log
            in as fast as they can; of the service only.
    """

    cold_start: float
    memory: Memory
    routes: dict[str, RouteLoad]
    alone: Load | None = None
    flooded: Load | None = None


@dataclass(frozen=True)
class Pace:
    """How long a route is loaded, in seconds.

    Args:
        seconds: while it is measured.
        warm_up: before that.
    """

    seconds: float
    warm_up: float = 1


def one_round(prepared: Prepared, pace: Pace) -> Figures:
    """Return the figures of one round.

    Raises:
        NotStarted: the server did not answer.
        LoadFailed: its responses were not what they should be.
    """
    peer = prepared.peer
    alone = flooded = None
    with prepared.started() as server:
        requests = peer_requests(server, peer)
        routes = {name: _load_route(server, name, requests[name], pace) for name in requests}
        if peer.auth and peer.auth.binds:
            request = bound_refresh(server, peer.auth)  # made now, since its proof ages
            routes["bound refresh"] = _load_route(server, "bound refresh", request, pace)
        if peer.logout:
            routes["logout"] = _load_logout(server, prepared, peer.logout, pace)
        if peer.logout and peer.auth:
            alone = load(requests["protected"], seconds=pace.seconds, connections=1)
            flooded = _load_during_logins(requests["protected"], requests["login"], pace)
        return Figures(server.cold_start, server.memory(), routes, alone, flooded)


def _load_route(server: Server, name: str, request: Request, pace: Pace) -> RouteLoad:
    """Load a route until a load is not lopsided. Refused logins wait and are sent again."""
    connections = LOGIN_CONNECTIONS if name == "login" else CONNECTIONS
    refusals: Refusals = "wait" if name == "login" else "fail"
    if name == "login":
        pace = replace(pace, seconds=LOGIN_FACTOR * pace.seconds)
    if pace.warm_up:
        load(request, seconds=pace.warm_up, connections=connections, refusals=refusals)
    repeats = 0
    while True:
        measured, cpu_seconds = measured_load(server, request, pace, connections, refusals)
        if repeats == MAX_REPEATS or not is_lopsided(cpu_seconds):
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


def _load_logout(server: Server, prepared: Prepared, path: str, pace: Pace) -> RouteLoad:
    """End another session with each request, and check the number against the service's rows."""
    if prepared.peer.auth is None:
        return measured_load(server, Request(server.url + path, "POST"), pace)[0]
    request = Request(server.url + path, "POST", cookies=prepared.cookies)
    measured, _ = measured_load(server, request, pace)  # not repeated: the sessions have ended
    with closing(sqlite3.connect(prepared.live / "database")) as database:
        (ended,) = database.execute(
            "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL"
        ).fetchone()
    if ended < measured.load.answered:
        raise LoadFailed(f"{measured.load.answered} logouts were answered, {ended} sessions ended")
    return measured


def _load_during_logins(protected: Request, login: Request, pace: Pace) -> Load:
    """Load the protected route with one client while others log in and never wait."""
    with ThreadPoolExecutor(1) as others:
        flood = others.submit(
            load,
            login,
            seconds=pace.warm_up + pace.seconds,
            connections=LOGIN_FLOOD_CONNECTIONS,
            refusals="ignore",
        )
        result = load(protected, seconds=pace.seconds, connections=1)
        flood.result()
    return result
