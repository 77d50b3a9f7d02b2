"""Which sessions were revoked lately: what each worker remembers, so that no request asks.

An access token lives for minutes, so only the sessions revoked within that time matter. Each
worker asks the database for news at most once a second, on the way of a request.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.database import reading
from authsvc.problems import ServiceUnavailable
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.claims import LEEWAY

EVERY = timedelta(seconds=1)
OVERLAP = timedelta(seconds=60)
"""Asked for again each time: a commit becomes visible later than the time that it bears, and
two machines' clocks differ."""
PATIENCE = 1.0
"""Seconds that a request waits while another one asks."""

_NEWS = select(RefreshToken.id, RefreshToken.revoked_at).where(
    RefreshToken.revoked_at > bindparam("since")
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class RecentlyRevoked:
    """The sessions revoked within one access token's life.

    Args:
        access_ttl: the seconds that an access token lives.
        staleness_limit: the seconds for which the list may be used while the database does
            not answer.
        tell: is told, each time that the database was asked, how many sessions are on the
            list and how many seconds old it is.
    """

    def __init__(
        self,
        access_ttl: int,
        staleness_limit: int,
        tell: Callable[[int, float], None] = lambda sessions, age: None,
    ) -> None:
        self._remembered_for = timedelta(seconds=access_ttl + LEEWAY)
        self._staleness_limit = timedelta(seconds=staleness_limit)
        self._revoked: dict[int, float] = {}  # 120 bytes each; UUIDs and times take 200
        self._asked_at = _NEVER
        self._answered_at = _NEVER
        self._asking = Lock()
        self._tell = tell

    def contains(self, sid: UUID) -> bool:
        """Whether the session was revoked within the life of an access token.

        Raises:
            ServiceUnavailable: the list is older than the staleness limit.
        """
        if self._due() and self._asking.acquire(timeout=PATIENCE):
            try:
                if self._due():
                    self._ask(clock.now())
            finally:
                self._asking.release()
        if not timedelta() <= clock.now() - self._answered_at <= self._staleness_limit:
            raise ServiceUnavailable
        return sid.int in self._revoked

    def _due(self) -> bool:
        """Not asked for a second, or the clock was set back since."""
        return not timedelta() <= clock.now() - self._asked_at < EVERY

    def _ask(self, now: datetime) -> None:
        try:
            with reading() as connection:
                self._learn(connection.execute(_NEWS, {"since": self._since(now)}), now)
        except SQLAlchemyError as error:
            _log.warning("the list of revoked sessions could not be renewed: %s", error)
        self._asked_at = now  # only now: until then the others wait for the answer
        self._tell(len(self._revoked), (now - self._answered_at).total_seconds())

    def _learn(self, news: Iterable[Row[UUID, datetime | None]], now: datetime) -> None:
        forgotten = (now - self._remembered_for).timestamp()
        known = {sid: at for sid, at in self._revoked.items() if at > forgotten}
        known.update((sid.int, at.timestamp()) for sid, at in news if at is not None)
        self._revoked = known
        self._answered_at = now

    def _since(self, now: datetime) -> datetime:
        """From the last answer on; after a long silence, or a clock set back, all that matters."""
        everything = now - self._remembered_for
        if self._answered_at > now:
            return everything
        return max(everything, self._answered_at - OVERLAP)
