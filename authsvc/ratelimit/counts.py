"""Counts of attempts that all workers see; where they are kept is another file's matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Count:
    """One count, in a window of time that begins with the first attempt.

    Args:
        key: what is counted, and whose.
        limit: how many there may be.
        seconds: how long the window is.
    """

    key: str
    limit: int
    seconds: int


@dataclass(frozen=True)
class Tally:
    """What has been counted, and when the window ends."""

    value: int
    ends: datetime


class Counts(Protocol):
    """Exact over any number of processes. Tallies come in the order of the counts asked for."""

    def add(self, counts: Sequence[Count], amount: int = ...) -> list[Tally]:
        """Add to each of them; what they are now."""

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        """What they are."""

    def settle(self, give_back: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        """Take one off some, as far as they are still there, and forget others."""
