"""The soak's clients, a process of their own: python -m bench.soak.clients PORT SECONDS RATE

Every ten seconds it writes a line of JSON with what was answered since the line before. It has the
lowest priority, and takes the CPU time that the server and others leave.
"""

import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from threading import Lock, Thread

from bench.soak.client import Client
from bench.soak.people import People
from bench.soak.scenario import play

CLIENTS = 16
REPORT_SECONDS = 10.0
TIMED_STEP = "things"


@dataclass
class Pace:
    """Limits all clients together to a rate. Missed turns are not made up for."""

    rate: float
    deadline: float
    _next: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def wait_for_turn(self) -> None:
        """Wait until the next request may be sent.

        Raises:
            SystemExit: the deadline comes first.
        """
        with self._lock:
            turn = self._next = max(self._next + 1 / self.rate, time.monotonic())
        if turn > self.deadline:
            raise SystemExit
        time.sleep(max(0.0, turn - time.monotonic()))


@dataclass
class Tally:
    """The responses since the last report."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def record(self, name: str, status: int, seconds: float, right: bool) -> None:
        with self._lock:
            self.statuses[str(status)] += 1
            if not right:
                self.wrong[f"{name} {status}"] += 1
            if name == TIMED_STEP and status == 200:
                self.latencies.append(seconds * 1000)

    def report(self) -> str:
        """Return the tally as JSON, and begin a new one."""
        with self._lock:
            several = len(self.latencies) > 1
            percentiles = quantiles(self.latencies, n=100) if several else [0.0] * 99
            counts = {"statuses": self.statuses, "wrong": self.wrong}
            line = json.dumps({**counts, "p50": percentiles[49], "p99": percentiles[98]})
            self.statuses, self.wrong, self.latencies = Counter(), Counter(), []
        return line


def main() -> None:
    port, seconds, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    os.nice(19)
    deadline = time.monotonic() + seconds
    pace, tally, people = Pace(rate, deadline), Tally(), People()

    def visit_again_and_again(number: int) -> None:
        time.sleep(min(REPORT_SECONDS, seconds / 2) * number / CLIENTS)  # not all at once
        while True:
            play(Client(port, pace.wait_for_turn, tally.record), people)

    clients = [Thread(target=visit_again_and_again, args=[number]) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    while time.monotonic() < deadline:
        time.sleep(max(0.0, min(REPORT_SECONDS, deadline - time.monotonic())))
        print(tally.report(), flush=True)
    for client in clients:
        client.join()


if __name__ == "__main__":
    main()
