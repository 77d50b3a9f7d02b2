"""One peer, one round: its server is started, each of its routes is loaded, and it is ended."""

import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from bench.load.peer_requests import requests
from bench.load.wrk import Load, LoadFailed, Refusals, Request, load
from bench.peers.definition import WORKERS
from bench.peers.prepare import Prepared
from bench.peers.server import Memory, Server

CONNECTIONS = 16
LOGIN_CONNECTIONS = 8
LOGIN_TIMES = 3
"""How much longer logins are sent: who is refused in the first rush is away for seconds."""
HAMMERING = 8
LEAST_SHARE = 0.5 / WORKERS
MOST_REPEATED = 9


@dataclass(frozen=True)
class Loaded:
    """The load on one route.

    Args:
        load: the one that counts.
        cpu_seconds: what the server spent on each answer.
        repeated: how many loads before it were lopsided.
    """

    load: Load
    cpu_seconds: float
    repeated: int = 0


@dataclass(frozen=True)
class Figures:
    """What one round gave.

    Args:
        cold_start: milliseconds from the start to the first answer.
        memory: after all of the load.
        routes: by name: protected, refresh, login, logout; only those that it has.
        alone, hammered: the protected route for one client, without others and while others
            log in as fast as they can; of the service only.
    """

    cold_start: float
    memory: Memory
    routes: dict[str, Loaded]
    alone: Load | None = None
    hammered: Load | None = None


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
    """The figures of one round.

    Raises:
        NotStarted: the server gave no answer.
        LoadFailed: its answers were not what they should be.
    """
    peer = prepared.peer
    alone = hammered = None
    with prepared.started() as server:
        sent = requests(server, peer)
        routes = {name: _warm(server, name, request, pace) for name, request in sent.items()}
        if peer.logout:
            routes["logout"] = _logouts(server, prepared, peer.logout, pace)
        if peer.logout and peer.auth:
            alone = load(sent["protected"], seconds=pace.seconds, connections=1)
            hammered = _hammered(sent["protected"], sent["login"], pace)
        return Figures(server.cold_start, server.memory(), routes, alone, hammered)


def _warm(server: Server, name: str, request: Request, pace: Pace) -> Loaded:
    """Too many logins at once may be refused: then clients come back when they are told to."""
    connections = LOGIN_CONNECTIONS if name == "login" else CONNECTIONS
    refusals: Refusals = "wait" if name == "login" else "fail"
    if name == "login":
        pace = replace(pace, seconds=LOGIN_TIMES * pace.seconds)
    if pace.warm_up:
        load(request, seconds=pace.warm_up, connections=connections, refusals=refusals)
    repeated = 0
    while True:
        told, spent = loaded(server, request, pace, connections, refusals)
        if repeated == MOST_REPEATED or not lopsided(spent):
            return replace(told, repeated=repeated)
        repeated += 1


def lopsided(spent: Collection[float]) -> bool:
    """Whether some of the workers did less than half of their share, by the processes' CPU time.

    Each connection stays with the worker that was first to accept it. At times one accepts all
    of those that wrk opens at once: what is measured then is one core, whoever the peer is.
    """
    if len(spent) < WORKERS:
        return True
    return sorted(spent)[-WORKERS] < LEAST_SHARE * sum(spent)


def loaded(
    server: Server,
    request: Request,
    pace: Pace,
    connections: int = CONNECTIONS,
    refusals: Refusals = "fail",
) -> tuple[Loaded, Collection[float]]:
    """The load, and what each of the server's processes spent on it."""
    before = server.cpu_seconds()
    told = load(request, seconds=pace.seconds, connections=connections, refusals=refusals)
    after = server.cpu_seconds()
    spent = [seconds - before.get(pid, 0) for pid, seconds in after.items()]
    return Loaded(told, sum(spent) / max(1, told.answered)), spent


def _logouts(server: Server, prepared: Prepared, path: str, pace: Pace) -> Loaded:
    """Each request ends another session; the service's rows must tell the same number."""
    if prepared.peer.auth is None:
        return loaded(server, Request(server.url + path, "POST"), pace)[0]
    ending = Request(server.url + path, "POST", cookies=prepared.cookies)
    told, _ = loaded(server, ending, pace)  # not repeated: the sessions have ended
    with closing(sqlite3.connect(prepared.live / "database")) as database:
        (ended,) = database.execute(
            "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL"
        ).fetchone()
    if ended < told.load.answered:
        raise LoadFailed(f"{told.load.answered} logouts were answered, {ended} sessions ended")
    return told


def _hammered(protected: Request, login: Request, pace: Pace) -> Load:
    """The protected route for one client, while others log in without ever waiting."""
    with ThreadPoolExecutor(1) as others:
        hammering = others.submit(
            load,
            login,
            seconds=pace.warm_up + pace.seconds,
            connections=HAMMERING,
            refusals="ignore",
        )
        told = load(protected, seconds=pace.seconds, connections=1)
        hammering.result()
    return told
