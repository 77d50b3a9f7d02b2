"""Attempts counted in Redis."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar, cast

from limits.errors import StorageError
from limits.storage import Storage, storage_from_string

from authsvc.problems import ServiceUnavailable
from authsvc.ratelimit.counts import Count, Tally

SECONDS = 2
"""How long Redis may take to connect, and to answer."""

P = ParamSpec("P")
R = TypeVar("R")
_log = logging.getLogger(__name__)


class RedisCounts:
    """Counts in Redis; each is a step of its own.

    Raises in each of them:
        ServiceUnavailable: Redis did not answer.

    Args:
        url: ``redis://``, as the library `limits` reads it: single servers, sentinels, clusters.
    """

    def __init__(self, url: str) -> None:
        storage = storage_from_string(
            url, wrap_exceptions=True, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        self._storage = cast(Storage, storage)

    def add(self, counts: Sequence[Count], amount: int = 1) -> list[Tally]:
        return [self._tally(count, self._more(count, amount)) for count in counts]

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        return [self._tally(count, _answer(self._storage.get, count.key)) for count in counts]

    def settle(self, give_back: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        for count in give_back:
            if self._more(count, -1) < 0:
                # It was forgotten in the meantime: there is nothing to give back.
                self._more(count, 1)
        for count in forget:
            _answer(self._storage.clear, count.key)

    def _more(self, count: Count, amount: int) -> int:
        return _answer(self._storage.incr, count.key, count.seconds, amount)

    def _tally(self, count: Count, value: int) -> Tally:
        ends = _answer(self._storage.get_expiry, count.key)
        return Tally(value, datetime.fromtimestamp(ends, UTC))


def _answer(command: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return command(*args, **kwargs)
    except StorageError as error:
        _log.warning("the rate limits' storage did not answer: %s", error.storage_error)
        raise ServiceUnavailable from None
