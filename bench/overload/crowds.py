"""A burst of logins, clients that hammer, and a flood from many addresses, on one server."""

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from bench.load.load_generator import LoadPlan, request_text
from bench.load.peer_requests import peer_requests
from bench.overload.accounts import flood, insert_people
from bench.overload.measure import Overload, measure
from bench.overload.people import Sights, burst, watch
from bench.peers.definition import Peer
from bench.peers.prepare import DISK, prepare

HAMMERING = 8
FLOOD_ADDRESSES = 200
NORMAL_LIMITS = {"AUTHSVC_RATE_LIMIT_FACTOR": "1"}


@dataclass(frozen=True)
class ServerResults:
    """The results of one server.

    Args:
        logins, refreshes: more of them than can be served.
        burst: the statuses of everyone who logged in at once, in all rounds.
        burst_slowest: milliseconds until the last had a response: the median of the rounds.
        idle, hammered, flooded: what people saw.
    """

    logins: Overload
    refreshes: Overload
    burst: Counter[str]
    burst_slowest: float
    idle: Sights
    hammered: Sights
    flooded: Sights


def measure_server(peer: Peer, seconds: float) -> ServerResults:
    """Measure all loads.

    Args:
        peer: the service under one of its servers.
        seconds: of each load.

    Raises:
        NotStarted: it did not answer.
    """
    with tempfile.TemporaryDirectory(prefix="overload-", dir=DISK) as name:
        prepared = prepare(peer, Path(name) / "service", seconds=0)
        insert_people(prepared.folder / "database")
        with prepared.started() as server:
            logins, refreshes = measure(server, seconds)
            statuses, slowest = burst(server)
            idle = watch(server, None, seconds / 2, logins=True)
            text = request_text(peer_requests(server, peer)["login"])
            plan = LoadPlan(server.port, text, seconds, clients=HAMMERING)
            hammered = watch(server, plan, 0.9 * seconds, logins=False)
        limited = replace(peer, settings={**peer.settings, **NORMAL_LIMITS})
        with replace(prepared, peer=limited).started() as server:
            plan = flood(server.port, FLOOD_ADDRESSES, seconds)
            flooded = watch(server, plan, 0.9 * seconds, logins=True)
    return ServerResults(logins, refreshes, statuses, slowest, idle, hammered, flooded)
