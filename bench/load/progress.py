"""Say on standard error what is measured, and how long the rest takes."""

import sys
import time

TRUST = 0.05
"""How much the plan counts, as a part of all, beside what the parts that are done have taken."""


class Progress:
    """The progress of a run whose parts have a planned length.

    Args:
        planned: the seconds of all parts, in the order of time.
    """

    def __init__(self, planned: list[float]) -> None:
        self._left = list(planned)
        self._done = 0.0
        self._trust = TRUST * sum(planned)
        self._began = time.monotonic()

    def begin(self, part: str) -> None:
        """Say what begins now."""
        log(f"{part}; {self.remaining() / 60:.0f} min left")

    def end(self) -> None:
        """Count the part as done."""
        self._done += self._left.pop(0)

    def remaining(self) -> float:
        """Return the seconds that the rest takes, if it takes as much longer than planned."""
        elapsed = time.monotonic() - self._began
        return sum(self._left) * (elapsed + self._trust) / (self._done + self._trust)


def log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
