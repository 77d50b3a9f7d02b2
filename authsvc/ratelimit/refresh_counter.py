"""The refreshes of each session that this worker has counted, and what it must still report.

The count that all workers share is a row in the database, or a key in Redis. An ordinary refresh
writes nothing: a worker reports a session's refreshes a tenth of the limit at a time.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from uuid import UUID

from authsvc import clock
from authsvc.problems import RateLimited

REPORTS = 10
"""Reports within one limit. One worker counts exactly. Each of several may hold back a report less
one, so that w workers allow at most 60 + 5 w refreshes."""


class RefreshCounter:
    """Counts the refreshes of each session in this process.

    Args:
        limit: how many refreshes a session may have in one window.
        seconds: how long a window is.
    """

    MAX_SESSIONS = 10_000
    """Sessions counted at once: a bound on memory."""

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._report_size = limit // REPORTS
        self._window = timedelta(seconds=seconds)
        self._sessions: OrderedDict[UUID, _Window] = OrderedDict()
        self._lock = Lock()

    def add(self, sid: UUID) -> int:
        """Count one refresh, and return how many must be reported now: usually none.

        Raises:
            RateLimited: the session has reached its limit in this window.
        """
        now = clock.now()
        with self._lock:
            window = self._sessions.get(sid)
            if window is None or not timedelta() <= now - window.since < self._window:
                window = self._sessions[sid] = _Window(since=now)
            self._sessions.move_to_end(sid)
            self._evict(now)
            if window.closed_until is not None and now < window.closed_until:
                raise RateLimited(ceil((window.closed_until - now).total_seconds()))
            window.total += 1
            if window.total > self._limit:
                raise RateLimited(ceil((window.since + self._window - now).total_seconds()))
            window.unreported += 1
            if window.unreported < self._report_size:
                return 0
            reported, window.unreported = window.unreported, 0
            return reported

    def put_back(self, sid: UUID, unreported: int) -> None:
        """Let the next refresh report these too, because the report failed."""
        with self._lock:
            self._sessions.setdefault(sid, _Window(since=clock.now())).unreported += unreported

    def close(self, sid: UUID, seconds: int) -> None:
        """Refuse the session's refreshes for these seconds: the shared count is at its limit."""
        now = clock.now()
        with self._lock:
            self._sessions[sid] = _Window(since=now, closed_until=now + timedelta(seconds=seconds))

    def _evict(self, now: datetime) -> None:
        """Drop sessions, least recently used first: too many, or with a window that has ended."""
        ended = now - self._window
        sessions = self._sessions
        while len(sessions) > self.MAX_SESSIONS or next(iter(sessions.values())).since <= ended:
            sessions.popitem(last=False)


@dataclass(slots=True)
class _Window:
    since: datetime
    total: int = 0
    unreported: int = 0
    closed_until: datetime | None = None
