"""What is measured of the service every ten seconds."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from bench.peers.processes import Process
from bench.peers.server import Server

TABLES = ("users", "refresh_tokens", "security_events", "rate_limits")


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Args:
        minutes: since the load began.
        processes: all of the service's, the first process first.
        database: MB of its files.
        rows: by table.
        statuses: the responses since the sample before, by status.
        wrong: the steps among them that should have had another status, with that status; 0
            stands for no response.
        p50, p99: milliseconds of a protected request since then.
    """

    minutes: float
    processes: list[Process]
    database: float
    rows: dict[str, int]
    statuses: Counter[str]
    wrong: Counter[str]
    p50: float
    p99: float


class ReportedTally(TypedDict):
    """What the clients report of their responses since the last report."""

    statuses: dict[str, int]
    wrong: dict[str, int]
    p50: float
    p99: float


def take_sample(server: Server, database: Path, minutes: float, tally: ReportedTally) -> Sample:
    """Measure the service.

    Args:
        server: the service.
        database: its SQLite file.
        minutes: since the load began.
        tally: reported by the clients.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TABLES
        }
    files = database.parent.glob(f"{database.name}*")
    size = sum(file.stat().st_size for file in files) / 1e6
    return Sample(
        minutes,
        server.processes(),
        size,
        rows,
        statuses=Counter(tally["statuses"]),
        wrong=Counter(tally["wrong"]),
        p50=tally["p50"],
        p99=tally["p99"],
    )


def total(samples: Sequence[Sample], name: str) -> Counter[str]:
    """Return the sum of `statuses` or `wrong` over all samples."""
    counters: list[Counter[str]] = [getattr(sample, name) for sample in samples]
    return sum(counters, Counter())


def process_names(samples: Sequence[Sample]) -> list[str]:
    workers = range(1, len(samples[0].processes))
    return ["the first process", *(f"worker {number}" for number in workers)]
