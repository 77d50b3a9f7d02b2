"""All rounds of all peers, which take turns: other load on the machine affects all alike."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.load.ceilings import commits_per_second, hashes_per_second
from bench.load.one_round import Figures, Pace, one_round
from bench.load.results import Results
from bench.load.wrk import LoadFailed
from bench.peers.definition import Peer
from bench.peers.install import NotInstalled
from bench.peers.prepare import DISK, Prepared, prepare
from bench.peers.server import NotStarted


def run(peers: Sequence[Peer], *, rounds: int, pace: Pace) -> Results:
    """Measure peers. A peer that fails is left out, and the results hold the reason.

    Args:
        peers: in the order of the tables.
        rounds: the number of rounds.
        pace: how long each route is loaded in each of them.
    """
    results = Results()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=DISK) as name:
        folder = Path(name)
        prepared = _prepare_all(peers, folder, pace, results)
        figures: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
        for number in range(1, rounds + 1):
            _log(f"round {number} of {rounds}: the ceilings")
            results.hashes.append(hashes_per_second(pace.seconds))
            results.commits.append(commits_per_second(folder, pace.seconds))
            for one in prepared:
                if one.peer.name not in results.left_out:
                    _log(f"round {number} of {rounds}: {one.peer.name}")
                    _measure(one, pace, figures[one.peer.name], results)
    results.peers = [
        (peer, figures[peer.name]) for peer in peers if peer.name not in results.left_out
    ]
    return results


def _measure(prepared: Prepared, pace: Pace, rounds: list[Figures], results: Results) -> None:
    try:
        figures = one_round(prepared, pace)
    except (NotStarted, LoadFailed) as error:
        _leave_out(results, prepared.peer, error)
    else:
        rounds.append(figures)
        _log("    " + _summary(figures))


def _prepare_all(
    peers: Sequence[Peer], folder: Path, pace: Pace, results: Results
) -> list[Prepared]:
    prepared = []
    for number, peer in enumerate(peers):
        _log(f"preparing {peer.name}")
        try:
            peer.install()
            prepared.append(prepare(peer, folder / str(number), seconds=pace.seconds))
        except (NotInstalled, NotStarted) as error:
            _leave_out(results, peer, error)
    return prepared


def _leave_out(results: Results, peer: Peer, error: Exception) -> None:
    results.left_out[peer.name] = str(error)
    _log(f"LEFT OUT: {peer.name}: {error}")


def _summary(figures: Figures) -> str:
    rates = (f"{name} {route.load.rate:,.0f}/s" for name, route in figures.routes.items())
    return ", ".join([*rates, f"cold start {figures.cold_start:,.0f} ms"])


def _log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
