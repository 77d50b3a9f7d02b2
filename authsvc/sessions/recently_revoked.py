"""Keep the recently revoked sessions in each worker, so that no request queries the database.

An access token lives for minutes, so only sessions revoked within that time matter. Each worker
queries the database at most once a second, when a request needs the list. A thread of its own runs
the query, so that no request waits for a database that does not answer.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import Row, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.database import reading
from authsvc.problems import ServiceUnavailable
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.times import LEEWAY

QUERY_INTERVAL = timedelta(seconds=1)
OVERLAP = timedelta(seconds=60)
"""How far each query reaches back before the last answer. A commit may become visible after its
timestamp, and the clocks of two machines differ."""
SET_BACK = timedelta(minutes=10)
"""How far a clock may be set back while revoked access tokens stay refused."""
LONG_SILENCE = timedelta(seconds=10)
"""After this long without an answer the whole period is queried: in that time the clock may have
been set back and have caught up unnoticed."""
QUERY_WAIT = 1.0
"""Seconds after the start of a query that requests wait for it; without a usable list, each one."""

_REVOKED_SINCE = select(RefreshToken.id, RefreshToken.revoked_at).where(
    RefreshToken.revoked_at > bindparam("since")
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class RecentlyRevoked:
    """The revoked sessions of which an access token could still be accepted.

    An access token is accepted until its life and the leeway are over. It may be issued later than
    `revoked_at` says: by a clock that was set back before the revocation (`SET_BACK`), by an
    instance whose clock is ahead (`LEEWAY`), or while the revocation was not yet visible
    (`OVERLAP`). A session stays on the list for the sum of these, about 120 bytes each.

    Args:
        access_ttl: the seconds that an access token lives.
        staleness_limit: the seconds that the list may be used while the database does not
            answer.
        report: called after each query with the number of sessions on the list and the age of
            the list in seconds.
    """

    def __init__(
        self,
        access_ttl: int,
        staleness_limit: int,
        report: Callable[[int, float], None] = lambda sessions, age: None,
    ) -> None:
        self._kept_for = timedelta(seconds=access_ttl + 2 * LEEWAY) + SET_BACK + OVERLAP
        self._staleness_limit = timedelta(seconds=staleness_limit)
        self._revoked: dict[int, float] = {}  # an int and a float take less memory
        self._queried_at = _NEVER
        self._answered_at = _NEVER
        self._answered_at_monotonic = 0.0
        self._failed = False
        self._query_began = 0.0
        self._query_done: Future[None] = Future()
        self._query_done.set_result(None)
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, "recently revoked")
        self._report = report

    def contains(self, sid: UUID) -> bool:
        """Return whether the session was revoked recently.

        Raises:
            ServiceUnavailable: the list is older than the staleness limit.
        """
        if self._due():
            self._renew()
        if not self._fresh():
            raise ServiceUnavailable
        return sid.int in self._revoked

    def _fresh(self) -> bool:
        return timedelta() <= clock.now() - self._answered_at <= self._staleness_limit

    def _renew(self) -> None:
        """Start a query unless one is running, and wait for it as long as that is of use."""
        with self._lock:
            if self._due() and self._query_done.done():
                app = current_app._get_current_object()  # type: ignore[attr-defined]
                self._query_began = monotonic()
                self._query_done = self._thread.submit(self._query, app, clock.now())
            running = self._query_done
        seconds = QUERY_WAIT
        if self._fresh():  # the request can be served without an answer
            seconds = 0.0 if self._failed else self._query_began + QUERY_WAIT - monotonic()
        wait([running], max(0.0, seconds))
        if running.done():
            running.result()

    def _due(self) -> bool:
        """Return whether the last query is a second old, or the clock was set back since."""
        return not timedelta() <= clock.now() - self._queried_at < QUERY_INTERVAL

    def _query(self, app: Flask, now: datetime) -> None:
        try:
            with app.app_context(), reading() as connection:
                self._add(connection.execute(_REVOKED_SINCE, {"since": self._since(now)}), now)
            self._failed = False
            self._queried_at = now  # last: until then the requests wait for the answer
        except SQLAlchemyError as error:
            _log.warning("the list of revoked sessions could not be renewed: %s", error)
            self._failed = True
            self._queried_at = clock.now()
        self._report(len(self._revoked), (now - self._answered_at).total_seconds())

    def _add(self, rows: Iterable[Row[UUID, datetime | None]], now: datetime) -> None:
        oldest = (now - self._kept_for).timestamp()
        revoked = {sid: at for sid, at in self._revoked.items() if at > oldest}
        revoked.update((sid.int, at.timestamp()) for sid, at in rows if at is not None)
        self._revoked = revoked
        self._answered_at, self._answered_at_monotonic = now, monotonic()

    def _since(self, now: datetime) -> datetime:
        """Return the time from which revocations are queried."""
        silent_for = timedelta(seconds=monotonic() - self._answered_at_monotonic)
        by_the_clock = now - self._answered_at
        if silent_for <= LONG_SILENCE and timedelta() <= by_the_clock <= LONG_SILENCE:
            return self._answered_at - OVERLAP
        return now - self._kept_for
