"""The soak's clients, a process of their own: python -m bench.soak.clients PORT SECONDS RATE

Every ten seconds it writes a line of JSON: what was answered since the one before. It takes what
the server and others leave of the processors.
"""

import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from threading import Lock, Thread

from bench.soak.scenario import Cast, Visit

AT_ONCE = 16
EVERY = 10.0
TIMED = "things"


@dataclass
class Pace:
    """So many turns a second; what was missed is not made up for."""

    rate: float
    ends: float
    _next: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def turn(self) -> None:
        """Wait for the next one.

        Raises:
            SystemExit: there is none.
        """
        with self._lock:
            mine = self._next = max(self._next + 1 / self.rate, time.monotonic())
        if mine > self.ends:
            raise SystemExit
        time.sleep(max(0.0, mine - time.monotonic()))


@dataclass
class Tally:
    """What was answered since it was last told."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, name: str, status: int, seconds: float, good: bool) -> None:
        with self._lock:
            self.statuses[str(status)] += 1
            if not good:
                self.wrong[f"{name} {status}"] += 1
            if name == TIMED and status == 200:
                self.took.append(seconds * 1000)

    def line(self) -> str:
        """It, as JSON; the next one begins."""
        with self._lock:
            parts = quantiles(self.took, n=100) if len(self.took) > 1 else [0.0] * 99
            told = {"statuses": self.statuses, "wrong": self.wrong}
            text = json.dumps({**told, "p50": parts[49], "p99": parts[98]})
            self.statuses, self.wrong, self.took = Counter(), Counter(), []
        return text


def main() -> None:
    port, seconds, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    os.nice(19)
    ends = time.monotonic() + seconds
    pace, tally, cast = Pace(rate, ends), Tally(), Cast()

    def visitor(number: int) -> None:
        time.sleep(min(EVERY, seconds / 2) * number / AT_ONCE)  # they do not come all at once
        while True:
            Visit(port, cast, pace.turn, tally.add).play()

    visitors = [Thread(target=visitor, args=[number]) for number in range(AT_ONCE)]
    for one in visitors:
        one.start()
    while time.monotonic() < ends:
        time.sleep(max(0.0, min(EVERY, ends - time.monotonic())))
        print(tally.line(), flush=True)
    for one in visitors:
        one.join()


if __name__ == "__main__":
    main()
