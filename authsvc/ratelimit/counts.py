"""Counts of attempts that all workers see; where they are kept is the matter of other files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Count:
    """One count, in a window of time that begins with the first attempt.

    Args:
        key: what is counted, and whose.
        limit: how many attempts are allowed.
        seconds: how long the window is.
    """

    key: str
    limit: int
    seconds: int


@dataclass(frozen=True)
class Tally:
    """The value of a count, and when its window ends."""

    value: int
    ends: datetime


class Counts(Protocol):
    """Exact over any number of processes. Tallies are in the order of the counts asked for."""

    def add(self, counts: Sequence[Count], amount: int = ...) -> list[Tally]:
        """Add to each count, and return the new tallies."""

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        """Return the tallies."""

    def release(self, decrement: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        """Take one off some counts, if they still exist, and remove others."""
