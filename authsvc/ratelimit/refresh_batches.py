"""Refreshes that this worker has counted and not yet reported to where all workers count."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from uuid import UUID

from authsvc import clock
from authsvc.problems import RateLimited

REFRESH_BATCHES = 10
# A worker reports a session's refreshes a tenth of the limit at a time, so that an ordinary
# refresh writes nothing. One worker is exact. The price of several: each may hold back a batch
# less one, so that w workers let at most 60 + 5 w through.


class RefreshBatches:
    """What this worker has counted and not yet reported, by session.

    Args:
        limit: how many refreshes a session may have in one window.
        seconds: how long a window is.
    """

    MOST = 10_000
    """Sessions remembered at most, of those refreshed within a window: a bound on memory."""

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._size = limit // REFRESH_BATCHES
        self._window = timedelta(seconds=seconds)
        self._open: OrderedDict[UUID, _Batch] = OrderedDict()
        self._lock = Lock()

    def add(self, sid: UUID) -> int:
        """Count one; give what is to be reported now, or 0.

        Raises:
            RateLimited: the session has reached its limit in this window.
        """
        now = clock.now()
        with self._lock:
            batch = self._open.get(sid)
            if batch is None or not timedelta() <= now - batch.since < self._window:
                batch = self._open[sid] = _Batch(since=now)
            self._open.move_to_end(sid)
            self._forget(now)
            if batch.closed_until is not None and now < batch.closed_until:
                raise RateLimited(ceil((batch.closed_until - now).total_seconds()))
            batch.total += 1
            if batch.total > self._limit:
                raise RateLimited(ceil((batch.since + self._window - now).total_seconds()))
            batch.unreported += 1
            if batch.unreported < self._size:
                return 0
            reported, batch.unreported = batch.unreported, 0
            return reported

    def put_back(self, sid: UUID, unreported: int) -> None:
        """They could not be reported: the next one must try again, or they would go uncounted."""
        with self._lock:
            self._open.setdefault(sid, _Batch(since=clock.now())).unreported += unreported

    def close(self, sid: UUID, seconds: int) -> None:
        """The session has reached its limit: no more need be counted for that many seconds."""
        now = clock.now()
        with self._lock:
            self._open[sid] = _Batch(since=now, closed_until=now + timedelta(seconds=seconds))

    def _forget(self, now: datetime) -> None:
        """The longest unused come first: those whose window is over, or that are too many."""
        over = now - self._window
        while len(self._open) > self.MOST or next(iter(self._open.values())).since <= over:
            self._open.popitem(last=False)


@dataclass(slots=True)
class _Batch:
    since: datetime
    total: int = 0
    unreported: int = 0
    closed_until: datetime | None = None
