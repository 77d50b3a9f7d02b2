"""What each layer of a protected route costs where gunicorn serves it, by leaving layers out."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.load.all_rounds import DISK
from bench.load.one_round import CONNECTIONS, Pace, loaded
from bench.load.peer_requests import bearer, requests
from bench.load.wrk import Request, load
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.definition import Peer
from bench.peers.prepare import Prepared, prepare

ROUNDS = 5
PACE = Pace(seconds=3, warm_up=1)
A_TOKEN = "x" * 500
"""About as long as one of the service's."""


@dataclass(frozen=True)
class Variant:
    """Something that is served.

    Args:
        what: it, in words.
        peer: how it is started.
        headers: what is sent beside what the peer itself asks for.
    """

    what: str
    peer: Peer
    headers: dict[str, str] = field(default_factory=dict)


def layers(*names: str) -> Peer:
    """The service with these layers of its own around Flask alone: see bench/peers/guarded.py."""
    return replace(AUTHSVC, settings={"LAYERS": " ".join(names)})


VARIANTS = (
    Variant("bare Flask", BARE),
    Variant("bare Flask, and an access token that it does not read", BARE, bearer(A_TOKEN)),
    Variant("the service, less what follows", layers()),
    Variant("and the metrics", layers("metrics")),
    Variant("and the line in the log", layers("metrics", "log")),
    Variant("and the headers: all of it", layers("metrics", "log", "headers")),
)


def costs() -> list[tuple[str, float]]:
    """What is served, and the CPU microseconds that all of the server spends on each request.

    Medians of rounds in which they take turns, each from a fresh start.
    """
    spent: dict[str, list[float]] = {variant.what: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory(prefix="served-", dir=DISK) as name:
        prepared = [
            prepare(variant.peer, Path(name) / str(number), seconds=0)
            for number, variant in enumerate(VARIANTS)
        ]
        for _ in range(ROUNDS):
            for variant, one in zip(VARIANTS, prepared, strict=True):
                spent[variant.what].append(_cost(one, variant.headers) * 1e6)
    return [(what, median(figures)) for what, figures in spent.items()]


def _cost(prepared: Prepared, headers: dict[str, str]) -> float:
    with prepared.started() as server:
        asked: Request = requests(server, prepared.peer)["protected"]
        request = replace(asked, headers={**asked.headers, **headers})
        load(request, seconds=PACE.warm_up, connections=CONNECTIONS)
        told, _ = loaded(server, request, PACE)
        return told.cpu_seconds
