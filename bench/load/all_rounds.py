"""All rounds of all peers, which take turns: other load on the machine affects all alike."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench.load.ceilings import commits_per_second, hashes_per_second
from bench.load.one_round import Figures, one_round
from bench.load.progress import Progress, log
from bench.load.results import Results
from bench.load.route import LOGIN_FACTOR, Pace
from bench.load.startup import startup
from bench.load.wrk import LoadFailed
from bench.peers.definition import Peer
from bench.peers.install import NotInstalled
from bench.peers.prepare import DISK, Prepared, prepare
from bench.peers.server import NotStarted
from tests.support.postgres_cluster import CRASH_SAFE, Cluster, find_binaries

START_SECONDS = 4.0
"""Planned for the commands whose start is measured, and for the processes that hash."""
BOOT_SECONDS = 2.0
"""Planned for the start and the end of a server."""
BOUND_SECONDS = 4.0
"""Planned for a bound refresh, besides its loads: the proofs are made before."""


def run(peers: Sequence[Peer], *, rounds: int, pace: Pace) -> Results:
    """Measure peers. A peer that fails is left out, and the results hold the reason.

    Args:
        peers: in the order of the tables.
        rounds: the number of rounds.
        pace: how long each route is loaded in each of them.
    """
    results = Results()
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=DISK))
        prepared = _prepare_all(peers, Path(name), pace, results, stack)
        figures: dict[str, list[Figures]] = {peer.name: [] for peer in peers}
        per_round = [
            2 * pace.seconds + START_SECONDS,
            *(_planned(one.peer, pace) for one in prepared),
        ]
        progress = Progress(per_round * rounds)
        for number in range(1, rounds + 1):
            of_rounds = f"round {number} of {rounds}"
            progress.begin(f"{of_rounds}: the ceilings")
            results.hashes.append(hashes_per_second(pace.seconds))
            results.commits.append(commits_per_second(Path(name), pace.seconds))
            results.starts.append(startup())
            progress.end()
            for one in prepared:
                if one.peer.name not in results.left_out:
                    progress.begin(f"{of_rounds}: {one.peer.name}")
                    _measure(one, pace, figures[one.peer.name], results)
                progress.end()
    results.peers = [
        (peer, figures[peer.name]) for peer in peers if peer.name not in results.left_out
    ]
    return results


def _planned(peer: Peer, pace: Pace) -> float:
    """Return about how many seconds one round of a peer takes."""
    same = [pace.warm_up + pace.seconds] * (2 if peer.auth else 1)
    if peer.auth:
        same.append(pace.warm_up + LOGIN_FACTOR * pace.seconds)
    if peer.auth and peer.auth.binds:
        same.append(pace.warm_up + pace.seconds + BOUND_SECONDS)
    if peer.logout:
        same.append(pace.seconds)
    if peer.crowds:
        same.append(2 * pace.seconds)
    return sum(same) + BOOT_SECONDS


def _measure(prepared: Prepared, pace: Pace, rounds: list[Figures], results: Results) -> None:
    try:
        figures = one_round(prepared, pace)
    except (NotStarted, LoadFailed) as error:
        _leave_out(results, prepared.peer.name, error)
        return
    rounds.append(figures)
    log("    " + _summary(figures))
    for route, reason in figures.failed.items():
        _leave_out(results, f"{prepared.peer.name}: {route}", reason)


def _prepare_all(
    peers: Sequence[Peer], folder: Path, pace: Pace, results: Results, stack: ExitStack
) -> list[Prepared]:
    """Fill the databases. Peers that are filled alike share one."""
    filled: dict[tuple[object, ...], Prepared] = {}
    prepared = []
    for peer in peers:
        log(f"preparing {peer.name}")
        kind = (peer.fill or peer.name, peer.database)
        try:
            peer.install()
            if kind not in filled:
                cluster = stack.enter_context(_postgres()) if peer.database == "postgres" else None
                place = folder / str(len(filled))
                filled[kind] = prepare(peer, place, seconds=pace.seconds, cluster=cluster)
        except (NotInstalled, NotStarted) as error:
            _leave_out(results, peer.name, error)
        else:
            prepared.append(replace(filled[kind], peer=peer))
    return prepared


@contextmanager
def _postgres() -> Iterator[Cluster]:
    """Run a cluster that exists only meanwhile, reached over a Unix socket.

    Raises:
        NotInstalled: Postgres is missing.
    """
    binaries = find_binaries()
    if binaries is None:
        raise NotInstalled("Postgres is not installed. On Debian: apt-get install postgresql")
    cluster = Cluster(binaries, CRASH_SAFE)
    try:
        yield cluster.start()
    finally:
        cluster.destroy()


def _leave_out(results: Results, name: str, reason: object) -> None:
    results.left_out[name] = str(reason)
    log(f"LEFT OUT: {name}: {reason}")


def _summary(figures: Figures) -> str:
    rates = (f"{name} {route.load.rate:,.0f}/s" for name, route in figures.routes.items())
    return ", ".join([*rates, f"cold start {figures.cold_start:,.0f} ms"])
