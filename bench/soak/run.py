"""Run the service as it is deployed, with the load of the soak, and take samples."""

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from authsvc import clock
from authsvc.sessions.purge import KEPT
from bench.growth.population import timestamp
from bench.peers.catalog import AUTHSVC
from bench.peers.prepare import DISK, prepare
from bench.peers.server import Server
from bench.soak.people import ACCESS_TTL
from bench.soak.samples import Sample, take_sample
from bench.soak.warm_up import warm_up

REFRESH_TTL = 300
LIFETIMES = {
    "AUTHSVC_ACCESS_TOKEN_TTL": str(ACCESS_TTL),
    "AUTHSVC_REFRESH_TOKEN_TTL": str(REFRESH_TTL),
    "AUTHSVC_AUDIT_TTL": "600",
}
SERVICE = replace(AUTHSVC, settings=LIFETIMES)
SET_TIMES = "UPDATE refresh_tokens SET issued_at = ?, last_used_at = ?, expires_at = ?"


def run(*, minutes: float, rate: float) -> list[Sample]:
    """Send that many requests a second for that many minutes, and return the samples."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="soak-", dir=DISK) as name:
        prepared = prepare(SERVICE, Path(name) / "service", seconds=minutes / 10)
        database = prepared.live / "database"
        with prepared.started() as server:
            warm_up(server.port, prepared.sessions)
            with closing(sqlite3.connect(database)) as connection:
                _age_sessions(connection)
            with _clients(server, minutes * 60, rate) as tallies:
                began = time.monotonic()
                for line in tallies:
                    elapsed = (time.monotonic() - began) / 60
                    samples.append(take_sample(server, database, elapsed, json.loads(line)))
                    _print_progress(samples, minutes)
    return samples


def _age_sessions(database: sqlite3.Connection) -> None:
    """Let the stored sessions have expired at times spread over the past hour.

    The service keeps an expired row for an hour, so in a run of an hour the purge would otherwise
    have nothing to do.
    """
    now, lifetime = clock.now(), timedelta(seconds=REFRESH_TTL)
    ids = [row[0] for row in database.execute("SELECT id FROM refresh_tokens").fetchall()]
    for number, id in enumerate(ids):
        expired = now - KEPT * number / len(ids)
        issued = timestamp(expired - lifetime)
        database.execute(f"{SET_TIMES} WHERE id = ?", [issued, issued, timestamp(expired), id])
    database.commit()


@contextmanager
def _clients(server: Server, seconds: float, rate: float) -> Iterator[Iterator[str]]:
    """Start the clients, and yield the lines that they write."""
    command = [sys.executable, "-m", "bench.soak.clients", str(server.port), str(seconds)]
    with subprocess.Popen([*command, str(rate)], stdout=subprocess.PIPE, text=True) as clients:
        try:
            assert clients.stdout is not None
            yield iter(clients.stdout)
        finally:
            clients.kill()


def _print_progress(samples: list[Sample], minutes: float) -> None:
    """Print each sample on a terminal, and one a minute elsewhere."""
    last = samples[-1]
    if not sys.stderr.isatty() and len(samples) % 6 != 1:
        return
    pss = ", ".join(f"{process.pss:.1f}" for process in last.processes)
    line = (
        f"{last.minutes:.1f} of {minutes:g} min: PSS {pss} MB, "
        f"{sum(process.files for process in last.processes)} files, "
        f"{sum(process.threads for process in last.processes)} threads, "
        f"{sum(last.statuses.values())} responses, p50 {last.p50:.1f} ms, p99 {last.p99:.1f} ms, "
        f"{sum(sum(sample.wrong.values()) for sample in samples)} wrong"
    )
    begin, end = ("\r", "\x1b[K") if sys.stderr.isatty() else ("", "\n")
    print(begin + line, end=end, file=sys.stderr, flush=True)
