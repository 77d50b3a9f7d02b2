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
"""Seconds that Redis may take to connect, and to answer."""

P = ParamSpec("P")
R = TypeVar("R")
_log = logging.getLogger(__name__)


class RedisCounts:
    """Counts in Redis; each count is a command of its own.

    Each method raises:
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
        return [self._tally(count, self._increment(count, amount)) for count in counts]

    def look(self, counts: Sequence[Count]) -> list[Tally]:
        return [self._tally(count, _answer(self._storage.get, count.key)) for count in counts]

    def release(self, decrement: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        for count in decrement:
            if self._increment(count, -1) < 0:
                # It was removed in the meantime, so there is nothing to decrement.
                self._increment(count, 1)
        for count in forget:
            _answer(self._storage.clear, count.key)

    def _increment(self, count: Count, amount: int) -> int:
        return _answer(self._storage.incr, count.key, count.seconds, amount)

    def _tally(self, count: Count, value: int) -> Tally:
        ends = _answer(self._storage.get_expiry, count.key)
        return Tally(value, datetime.fromtimestamp(ends, UTC))


def _answer(command: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return command(*args, **kwargs)
    except StorageError as error:
        _log.warning("the storage of the rate limits did not answer: %s", error.storage_error)
        raise ServiceUnavailable from None
