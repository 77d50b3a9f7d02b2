"""When a mail that was not sent is tried again."""

from datetime import datetime, timedelta

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
