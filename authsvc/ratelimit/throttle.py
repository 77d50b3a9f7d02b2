"""Every limit on how often something may be tried, and the reason for each number."""

import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from authsvc import clock
from authsvc.problems import (
    EmailTaken,
    InvalidCredentials,
    Problem,
    RateLimited,
    WrongPassword,
)
from authsvc.ratelimit.counts import Count, Counts, Tally
from authsvc.ratelimit.refresh_batches import RefreshBatches

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Limit:
    """How many of something there may be within some seconds."""

    of: str
    amount: int
    seconds: int


FAILURES_PER_ACCOUNT = Limit("failures", 10, 15 * MINUTE)
# A person who has forgotten which password it was tries five or six. A guesser gets 960 a day.

FAILURES_PER_ACCOUNT_IN_A_DAY = Limit("failures in a day", 100, DAY)
# At most 100 failures in a row (NIST SP 800-63B-4 section 3.2.2), then rest until a day after
# the first: a lock for good would hand every stranger the means to shut a person out.

FAILURES_PER_ADDRESS = Limit("failures", 100, 15 * MINUTE)
# An office or a mobile network shares an address: ten people may have a bad quarter of an hour.

REGISTRATIONS_PER_ADDRESS = Limit("registrations", 20, HOUR)
# A class or a workshop signs up together. It also bounds who can be found out by `email_taken`.

REFRESHES_PER_SESSION = Limit("refreshes", 60, MINUTE)
# A page refreshes once in some minutes; a dozen tabs that wake up at once, a dozen times.


class Throttle:
    """Counts attempts where all workers see them.

    Args:
        counts: where they are kept.
        factor: by what all limits are multiplied, for load tests.
    """

    def __init__(self, counts: Counts, factor: int) -> None:
        self._counts = counts
        self._factor = factor
        most = REFRESHES_PER_SESSION.amount * factor
        self._batches = RefreshBatches(most, REFRESHES_PER_SESSION.seconds)

    @contextmanager
    def login(self, email_key: str, address: str | None) -> Iterator[None]:
        """Around one attempt to log in: refused beforehand, or counted if it fails.

        Raises:
            RateLimited: too many have failed for this account, or from this address.
        """
        network = self._count(FAILURES_PER_ADDRESS, "address", _network(address))
        account = [
            self._count(FAILURES_PER_ACCOUNT, "account", email_key),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "account", email_key),
        ]
        with self._attempt([network, *account], failure=InvalidCredentials):
            yield
        self._counts.settle(give_back=[network], forget=account)

    @contextmanager
    def password(self, user_id: UUID) -> Iterator[None]:
        """Around one confirmation of the password by somebody who is logged in.

        These failures are counted apart, so that nobody outside can hinder the owner.

        Raises:
            RateLimited: too many have failed for this account.
        """
        account = [
            self._count(FAILURES_PER_ACCOUNT, "password", str(user_id)),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "password", str(user_id)),
        ]
        with self._attempt(account, failure=WrongPassword):
            yield
        self._counts.settle(forget=account)

    @contextmanager
    def registration(self, address: str | None) -> Iterator[None]:
        """Around one registration; one that was refused as invalid is not counted.

        Raises:
            RateLimited: too many came from this address.
        """
        network = self._count(REGISTRATIONS_PER_ADDRESS, "address", _network(address))
        with self._attempt([network], failure=EmailTaken):
            yield

    def refresh(self, sid: UUID) -> None:
        """Before one refresh.

        Raises:
            RateLimited: this session has been refreshed too often.
        """
        unreported = self._batches.add(sid)
        if unreported == 0:
            return
        count = self._count(REFRESHES_PER_SESSION, "session", str(sid))
        try:
            [tally] = self._counts.add([count], unreported)
        except Exception:
            self._batches.put_back(sid, unreported)
            raise
        if tally.value > count.limit:
            seconds = _seconds_left(count, tally)
            self._batches.close(sid, seconds)
            raise RateLimited(seconds)

    @contextmanager
    def _attempt(self, counts: list[Count], *, failure: type[Problem]) -> Iterator[None]:
        """Count an attempt before it is made, since others are being made at the same time.

        It is not counted after all where it ends in another problem than the failure. Where a
        limit was reached before, looking is enough: whoever hammers causes no writing.
        """
        _refuse_beyond(counts, self._counts.look(counts), spare=1)
        tallies = self._counts.add(counts)
        try:
            _refuse_beyond(counts, tallies, spare=0)
            yield
        except failure:
            raise
        except Exception:
            self._counts.settle(give_back=counts)
            raise

    def _count(self, limit: Limit, what: str, which: str) -> Count:
        # The counts outlive the attempts, so they hold nobody's address in the clear.
        name = hashlib.sha256(f"{what}:{which}".encode()).hexdigest()
        return Count(f"{limit.of}/{name}", limit.amount * self._factor, limit.seconds)


def _refuse_beyond(counts: Sequence[Count], tallies: Sequence[Tally], *, spare: int) -> None:
    """
    Args:
        spare: how many more than have been counted there must be room for.

    Raises:
        RateLimited: there is no room; it tells the longest wait.
    """
    waits = [
        _seconds_left(count, tally)
        for count, tally in zip(counts, tallies, strict=True)
        if tally.value + spare > count.limit
    ]
    if waits:
        raise RateLimited(max(waits))


def _seconds_left(count: Count, tally: Tally) -> int:
    """A whole wait at most, even if the clock was set back."""
    seconds = ceil((tally.ends - clock.now()).total_seconds())
    return max(1, min(seconds, count.seconds))


def _network(address: str | None) -> str:
    """The address, or for IPv6 the /64 that one customer is given."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)  # so a socket that hears both families names IPv4 clients
    return str(ipaddress.ip_network((ip, 64), strict=False))
