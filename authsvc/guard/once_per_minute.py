"""A reason is logged once a minute, however often requests fail for it."""

from datetime import datetime, timedelta

from authsvc import clock

EVERY = timedelta(minutes=1)
MAX_REASONS = 32
"""Reasons that are remembered; our own are fewer, and those of a network are bounded so."""


class OncePerMinute:
    """Says for each reason whether a minute has passed since its last line."""

    def __init__(self) -> None:
        self._taken_at: dict[str, datetime] = {}

    def take(self, reason: str) -> bool:
        """Return whether a line with this reason is due, and count it as written."""
        now, last = clock.now(), self._taken_at.get(reason)
        if last is not None and timedelta() <= now - last < EVERY:
            return False
        if len(self._taken_at) >= MAX_REASONS:
            self._taken_at.clear()
        self._taken_at[reason] = now
        return True
