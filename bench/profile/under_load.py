"""The cost of each layer of a protected route that gunicorn serves, by leaving layers out."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.load.peer_requests import bearer, peer_requests
from bench.load.route import CONNECTIONS, Pace, measured_load
from bench.load.wrk import load
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.definition import Peer
from bench.peers.prepare import DISK, Prepared, prepare
from bench.profile.cpu_time import Rows

ROUNDS = 5
PACE = Pace(seconds=3, warm_up=1)
UNREAD_TOKEN = "x" * 500
"""About as long as an access token of the service."""


@dataclass(frozen=True)
class Variant:
    """A server to measure.

    Args:
        name: in the table.
        peer: how it is started.
        headers: sent in addition to the peer's own.
    """

    name: str
    peer: Peer
    headers: dict[str, str] = field(default_factory=dict)


def _service(*layers: str) -> Peer:
    """Return the service with only these of its WSGI layers: see bench/peers/guarded.py."""
    return replace(AUTHSVC, settings={"LAYERS": " ".join(layers)})


VARIANTS = (
    Variant("bare Flask", BARE),
    Variant("bare Flask, and an access token that it does not read", BARE, bearer(UNREAD_TOKEN)),
    Variant("the service without what follows", _service()),
    Variant("and the metrics", _service("metrics")),
    Variant("and the line in the log", _service("metrics", "log")),
    Variant("and the headers: all of it", _service("metrics", "log", "headers")),
)


def costs() -> Rows:
    """Return the CPU microseconds that the whole server spends on each request, by variant.

    They are medians of rounds in which the variants take turns, each from a fresh start.
    """
    figures: dict[str, list[float]] = {variant.name: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory(prefix="profile-", dir=DISK) as name:
        prepared = [
            prepare(variant.peer, Path(name) / str(number), seconds=0)
            for number, variant in enumerate(VARIANTS)
        ]
        for _ in range(ROUNDS):
            for variant, one in zip(VARIANTS, prepared, strict=True):
                figures[variant.name].append(_cost(one, variant.headers) * 1e6)
    return [(name, median(costs)) for name, costs in figures.items()]


def _cost(prepared: Prepared, headers: dict[str, str]) -> float:
    with prepared.started() as server:
        request = peer_requests(server, prepared.peer)["protected"]
        request = replace(request, headers={**request.headers, **headers})
        load(request, seconds=PACE.warm_up, connections=CONNECTIONS)
        measured, _ = measured_load(server, request, PACE)
        return measured.cpu_seconds
