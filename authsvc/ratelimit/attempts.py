"""Count attempts where all workers see them, and refuse those beyond a limit."""

import hashlib
import ipaddress
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

from authsvc import clock
from authsvc.problems import Problem, RateLimited
from authsvc.ratelimit.counts import Count, Counts, Tally
from authsvc.ratelimit.limits import Limit

_log = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""The network of clients whose address is not known."""


class Attempts:
    """Counts attempts of any kind.

    Args:
        counts: where they are kept.
        factor: multiplies all limits, for load tests.
    """

    def __init__(self, counts: Counts, factor: int) -> None:
        self._counts = counts
        self._factor = factor

    def amount(self, limit: Limit) -> int:
        """Return how many attempts a limit allows."""
        return limit.amount * self._factor

    def count(self, limit: Limit, what: str, which: str) -> Count:
        """Return the count of one thing towards a limit.

        Args:
            limit: the limit.
            what: the kind of the thing.
            which: the thing, such as an address. The count outlives the attempts, so its name is a
                hash.
        """
        name = hashlib.sha256(f"{what}:{which}".encode()).hexdigest()
        return Count(f"{limit.of}/{name}", self.amount(limit), limit.seconds)

    def add(self, count: Count, amount: int = 1) -> Tally:
        """Count, and return the tally."""
        [tally] = self._counts.add([count], amount)
        return tally

    def values(self, counts: Sequence[Count]) -> list[int]:
        """Return the values of some counts."""
        return [tally.value for tally in self._counts.look(counts)]

    def release(self, *, decrement: Sequence[Count] = (), forget: Sequence[Count] = ()) -> None:
        """Take attempts back, and forget counts."""
        self._counts.release(decrement, forget)

    def forget_after_success(
        self, *, decrement: Sequence[Count] = (), forget: Sequence[Count] = ()
    ) -> None:
        """Release counts after a success that has happened already: its response must arrive."""
        try:
            self._counts.release(decrement, forget)
        except Exception as error:
            _log.warning("failures before a success were not forgotten: %s", error)

    @contextmanager
    def enclose(
        self,
        counts: list[Count],
        *,
        failure: type[Problem] | tuple[type[Problem], ...],
        besides: Sequence[Count] = (),
    ) -> Iterator[list[Tally]]:
        """Count an attempt before it is made, since others are made at the same time.

        The count is taken back if the attempt ends in another problem than the failure. If the
        limit was reached before, reading is enough: refused attempts cause no write.

        Args:
            counts: refuse the attempt if one of them is at its limit.
            failure: the problem that is counted.
            besides: counted with the others, in the same statement, and refuse nothing.
        """
        _refuse_beyond(counts, self._counts.look(counts), spare=1)
        everything = [*counts, *besides]
        tallies = self._counts.add(everything)
        try:
            _refuse_beyond(counts, tallies[: len(counts)], spare=0)
            yield tallies
        except failure:
            raise
        except Exception:
            self._counts.release(decrement=everything)
            raise


def seconds_left(count: Count, tally: Tally) -> int:
    """Return the seconds until the window ends: at most one window, if a clock was set back."""
    seconds = ceil((tally.ends - clock.now()).total_seconds())
    return max(1, min(seconds, count.seconds))


def network_of(address: str | None) -> str:
    """Return the address, or for IPv6 the /64 that one customer has."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def _refuse_beyond(counts: Sequence[Count], tallies: Sequence[Tally], *, spare: int) -> None:
    """
    Args:
        spare: how many more than those counted must still be allowed.

    Raises:
        RateLimited: a limit is reached; it has the longest wait.
    """
    waits = [
        seconds_left(count, tally)
        for count, tally in zip(counts, tallies, strict=True)
        if tally.value + spare > count.limit
    ]
    if waits:
        raise RateLimited(max(waits))
