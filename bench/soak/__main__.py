"""An hour of mixed load: make soak, or python -m bench.soak [--minutes 60] [--rate 200]

The service as it is deployed, before people who register, log in, refresh and leave, among others
who send what they should not. Says whether anything grew, and ends with an error if so. A run of an
hour writes its table and its plot into docs/performance.md.
"""

import argparse
import json
import signal
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
from bench.growth.__main__ import stored
from bench.load.all_rounds import DISK
from bench.peers.catalog import AUTHSVC, ROOT
from bench.peers.prepare import prepare
from bench.peers.server import Server
from bench.report.document import write
from bench.soak.report import BY, PLOT, plot, report
from bench.soak.samples import Sample, look
from bench.soak.scenario import ACCESS_TTL
from bench.soak.verdict import faults, growth
from bench.soak.warm_up import warm_up

PAGE = ROOT / "docs" / "performance.md"
SHORTEST = 60
"""Minutes after which it is told whether anything grew, and the page is written."""

REFRESH_TTL = 300
LIFE = {
    "AUTHSVC_ACCESS_TOKEN_TTL": str(ACCESS_TTL),
    "AUTHSVC_REFRESH_TOKEN_TTL": str(REFRESH_TTL),
    "AUTHSVC_AUDIT_TTL": "600",
}
SERVICE = replace(AUTHSVC, settings=LIFE)
AGE = "UPDATE refresh_tokens SET issued_at = ?, last_used_at = ?, expires_at = ?"


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    words.add_argument("--minutes", type=float, default=SHORTEST)
    words.add_argument("--rate", type=float, default=200, help="requests a second")
    chosen = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is ended then, too
    try:
        samples = run(minutes=chosen.minutes, rate=chosen.rate)
    except KeyboardInterrupt:
        sys.exit("stopped; no server is left")
    told = faults(samples)
    if chosen.minutes < SHORTEST:
        print(f"It ran for less than {SHORTEST} minutes: whether memory grows is not told.")
    else:
        told += growth(samples)
        block = report(samples, rate=chosen.rate)
        print(block)
        if not told:
            write(PAGE, block, {PLOT: plot(samples)}, by=BY)
    if told:
        sys.exit("It did not hold: " + "; ".join(told) + ".")


def run(*, minutes: float, rate: float) -> list[Sample]:
    """Play so many requests a second for so many minutes."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="soak-", dir=DISK) as name:
        prepared = prepare(SERVICE, Path(name) / "service", seconds=minutes / 10)
        database = prepared.live / "database"
        with prepared.started() as server:
            warm_up(server.port, prepared.cookies)
            with closing(sqlite3.connect(database)) as connection:
                grow_old(connection)
            with playing(server, minutes * 60, rate) as clients:
                began = time.monotonic()
                for line in clients:
                    passed = (time.monotonic() - began) / 60
                    samples.append(look(server, database, passed, json.loads(line)))
                    _say(samples, minutes)
    return samples


def grow_old(database: sqlite3.Connection) -> None:
    """The table of sessions as an hour of this load would leave it: some are over long enough.

    An expired row stays for an hour, so the purge would have nothing to do in a run of one.
    """
    now, life = clock.now(), timedelta(seconds=REFRESH_TTL)
    ids = [row[0] for row in database.execute("SELECT id FROM refresh_tokens").fetchall()]
    for number, id in enumerate(ids):
        ended = now - KEPT * number / len(ids)
        times = [stored(ended - life), stored(ended - life), stored(ended), id]
        database.execute(f"{AGE} WHERE id = ?", times)
    database.commit()


@contextmanager
def playing(server: Server, seconds: float, rate: float) -> Iterator[Iterator[str]]:
    """The clients: gives what they tell, a line each time."""
    command = [sys.executable, "-m", "bench.soak.clients", str(server.port), str(seconds)]
    with subprocess.Popen([*command, str(rate)], stdout=subprocess.PIPE, text=True) as clients:
        try:
            assert clients.stdout is not None
            yield iter(clients.stdout)
        finally:
            clients.kill()


def _say(samples: list[Sample], minutes: float) -> None:
    """Each look on a terminal, one a minute elsewhere."""
    last = samples[-1]
    if not sys.stderr.isatty() and len(samples) % 6 != 1:
        return
    held = ", ".join(f"{process.pss:.1f}" for process in last.processes)
    words = (
        f"{last.minutes:.1f} of {minutes:g} min: PSS {held} MB, "
        f"{sum(process.files for process in last.processes)} files, "
        f"{sum(process.threads for process in last.processes)} threads, "
        f"{sum(last.statuses.values())} answers, p50 {last.p50:.1f} ms, p99 {last.p99:.1f} ms, "
        f"{sum(sum(sample.wrong.values()) for sample in samples)} wrong"
    )
    ends = ("\r", "\x1b[K") if sys.stderr.isatty() else ("", "\n")
    print(ends[0] + words, end=ends[1], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
