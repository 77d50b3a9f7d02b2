"""All rounds of all peers: they take turns, so that what else the machine does meets all alike."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.load.ceilings import commits_a_second, hashes_a_second
from bench.load.one_round import Figures, Pace, one_round
from bench.load.results import Results
from bench.load.wrk import LoadFailed
from bench.peers.definition import Peer
from bench.peers.install import NotInstalled
from bench.peers.prepare import Prepared, prepare
from bench.peers.server import NotStarted

DISK = Path(__file__).parents[2] / "instance"
"""Where the databases stand: on the disk that the service's own would be on, not in memory."""


def run(peers: Sequence[Peer], *, rounds: int, pace: Pace) -> Results:
    """Measure these peers; one that fails is left out, and the results tell why.

    Args:
        peers: in the order of the tables.
        rounds: how many there are.
        pace: how long each route is loaded in each of them.
    """
    results = Results()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=DISK) as name:
        folder = Path(name)
        prepared = _prepared(peers, folder, pace, results)
        figures: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
        for number in range(1, rounds + 1):
            _say(f"round {number} of {rounds}: the ceilings")
            results.hashes.append(hashes_a_second(pace.seconds))
            results.commits.append(commits_a_second(folder, pace.seconds))
            for one in prepared:
                if one.peer.name in results.left_out:
                    continue
                _say(f"round {number} of {rounds}: {one.peer.name}")
                try:
                    told = one_round(one, pace)
                except (NotStarted, LoadFailed) as error:
                    _leave_out(results, one.peer, error)
                else:
                    figures[one.peer.name].append(told)
                    _say("    " + _short(told))
    results.peers = [
        (peer, figures[peer.name]) for peer in peers if peer.name not in results.left_out
    ]
    return results


def _prepared(peers: Sequence[Peer], folder: Path, pace: Pace, results: Results) -> list[Prepared]:
    prepared = []
    for number, peer in enumerate(peers):
        _say(f"preparing {peer.name}")
        try:
            peer.install()
            prepared.append(prepare(peer, folder / str(number), seconds=pace.seconds))
        except (NotInstalled, NotStarted) as error:
            _leave_out(results, peer, error)
    return prepared


def _leave_out(results: Results, peer: Peer, error: Exception) -> None:
    results.left_out[peer.name] = str(error)
    _say(f"LEFT OUT: {peer.name}: {error}")


def _short(figures: Figures) -> str:
    rates = (f"{name} {loaded.load.rate:,.0f}/s" for name, loaded in figures.routes.items())
    return ", ".join([*rates, f"cold start {figures.cold_start:,.0f} ms"])


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
