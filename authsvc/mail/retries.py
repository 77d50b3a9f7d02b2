"""When a mail that was not sent is tried again, and a server that takes no mail."""

from datetime import UTC, datetime, timedelta

from authsvc.mail.leases import Leased

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP = timedelta(hours=24)
"""Counted from the request. A link would be of no use any more, and the person has asked again."""


def next_attempt(mail: Leased, now: datetime) -> datetime | None:
    """Return when to try again: each delay is twice the last one. None if it is given up."""
    doubled = min(mail.attempts - 1, 16)  # far beyond the longest delay
    due_at = now + min(FIRST_DELAY * 2**doubled, LONGEST_DELAY)
    return due_at if due_at < mail.created_at + GIVE_UP else None


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Pause:
    """Spares a server that takes no mail: some lock an account after many refused logins.

    A pause is twice as long as the one before, up to 40 seconds, until a mail is sent.
    """

    _FIRST = timedelta(seconds=5)
    _LONGEST = timedelta(seconds=40)

    def __init__(self) -> None:
        self._next = self._FIRST
        self._ends_at = _LONG_AGO

    def begin(self, now: datetime) -> None:
        """Begin a pause."""
        self._ends_at = now + self._next
        self._next = min(self._next * 2, self._LONGEST)

    def end(self) -> None:
        """Note that the server takes mail."""
        self._next = self._FIRST

    def is_over(self, now: datetime) -> bool:
        """Return whether the server may be tried, also if the clock was set back."""
        return now >= self._ends_at or now < self._ends_at - self._LONGEST
