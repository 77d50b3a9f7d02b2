"""What is seen of the service every ten seconds."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.peers.server import Process, Server

TABLES = ("users", "refresh_tokens", "security_events", "rate_limits")


@dataclass(frozen=True)
class Sample:
    """One look.

    Args:
        minutes: since the load began.
        processes: all of the service's, the first of them first.
        database: MB of its files.
        rows: by table.
        statuses: how often each was answered since the look before.
        wrong: the steps among them that should have been answered in another way, with the
            status; 0 is no answer.
        p50, p99: milliseconds that a protected request took since then.
    """

    minutes: float
    processes: list[Process]
    database: float
    rows: dict[str, int]
    statuses: Counter[str]
    wrong: Counter[str]
    p50: float
    p99: float

    @property
    def pss(self) -> float:
        return sum(process.pss for process in self.processes)


def look(
    server: Server, database: Path, minutes: float, told: dict[str, dict[str, int] | float]
) -> Sample:
    """
    Args:
        server: the service.
        database: its SQLite file.
        minutes: since the load began.
        told: by the clients.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TABLES
        }
    files = database.parent.glob(f"{database.name}*")
    size = sum(file.stat().st_size for file in files) / 1e6
    counts = {name: Counter(told[name]) for name in ("statuses", "wrong")}
    return Sample(
        minutes, server.processes(), size, rows, **counts, p50=told["p50"], p99=told["p99"]
    )


def total(samples: list[Sample], name: str) -> Counter[str]:
    """Of all samples: `statuses` or `wrong`."""
    counters: list[Counter[str]] = [getattr(sample, name) for sample in samples]
    return sum(counters, Counter())
