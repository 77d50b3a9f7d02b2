"""Every limit on how often something may be tried, and the reason for each number."""

import hashlib
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from authsvc import clock
from authsvc.guard.refresh_batches import RefreshBatches
from authsvc.problems import (
    EmailTaken,
    InvalidCredentials,
    Problem,
    RateLimited,
    WrongPassword,
)

FAILURES_PER_ACCOUNT = RateLimitItemPerMinute(10, 15, namespace="failures")
# A person who has forgotten which password it was tries five or six. A guesser gets 960 a day.

FAILURES_PER_ACCOUNT_IN_A_DAY = RateLimitItemPerDay(100, 1, namespace="failures")
# At most 100 failures in a row (NIST SP 800-63B-4 section 3.2.2), then rest until a day after
# the first: a lock for good would hand every stranger the means to shut a person out.

FAILURES_PER_ADDRESS = RateLimitItemPerMinute(100, 15, namespace="failures")
# An office or a mobile network shares an address: ten people may have a bad quarter of an hour.

REGISTRATIONS_PER_ADDRESS = RateLimitItemPerHour(20, 1, namespace="registrations")
# A class or a workshop signs up together. It also bounds who can be found out by `email_taken`.

REFRESHES_PER_SESSION = RateLimitItemPerMinute(60, 1, namespace="refreshes")
# A page refreshes once in some minutes; a dozen tabs that wake up at once, a dozen times.


@dataclass(frozen=True)
class _Count:
    """One count and its limit."""

    limit: RateLimitItem
    of: str


class Throttle:
    """Counts attempts where all workers see them.

    Args:
        storage: where the counts are kept.
        factor: by what all limits are multiplied, for load tests.
    """

    def __init__(self, storage: Storage, factor: int) -> None:
        self._storage = storage
        self._limiter = FixedWindowRateLimiter(storage)
        self._factor = factor
        self._batches = RefreshBatches(REFRESHES_PER_SESSION, factor)

    @contextmanager
    def login(self, email_key: str, address: str | None) -> Iterator[None]:
        """Around one attempt to log in: refused beforehand, or counted if it fails.

        Raises:
            RateLimited: too many have failed for this account, or from this address.
        """
        account = [
            self._count(FAILURES_PER_ACCOUNT, "account", email_key),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "account", email_key),
        ]
        network = self._count(FAILURES_PER_ADDRESS, "address", _network(address))
        with self._attempt([network, *account], failure=InvalidCredentials):
            yield
        self._give_back([network])
        self._forget(account)

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
        self._forget(account)

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
            within = self._limiter.hit(count.limit, count.of, cost=unreported)
        except Exception:
            self._batches.put_back(sid, unreported)
            raise
        if not within:
            seconds = self._seconds_left(count)
            self._batches.close(sid, seconds)
            raise RateLimited(seconds)

    @contextmanager
    def _attempt(self, counts: list[_Count], *, failure: type[Problem]) -> Iterator[None]:
        """Count an attempt before it is made, since others are being made at the same time.

        It is not counted after all where it ends in another problem than the failure.
        """
        self._refuse_spent(counts)
        counted: list[_Count] = []
        for count in counts:
            counted.append(count)
            if not self._limiter.hit(count.limit, count.of):
                self._give_back(counted)
                raise RateLimited(self._seconds_left(count))
        try:
            yield
        except failure:
            raise
        except Exception:
            self._give_back(counted)
            raise

    def _count(self, limit: RateLimitItem, what: str, which: str) -> _Count:
        # The counts outlive the attempts, so they hold nobody's address in the clear.
        name = hashlib.sha256(f"{what}:{which}".encode()).hexdigest()
        scaled = type(limit)(limit.amount * self._factor, limit.multiples, limit.namespace)
        return _Count(scaled, name)

    def _give_back(self, counts: list[_Count]) -> None:
        for count in counts:
            key, expiry = count.limit.key_for(count.of), count.limit.get_expiry()
            if self._storage.incr(key, expiry, -1) < 0:
                # It was forgotten in the meantime: there is nothing to give back.
                self._storage.incr(key, expiry, 1)

    def _forget(self, counts: list[_Count]) -> None:
        for count in counts:
            self._limiter.clear(count.limit, count.of)

    def _refuse_spent(self, counts: list[_Count]) -> None:
        spent = [count for count in counts if not self._limiter.test(count.limit, count.of)]
        if spent:
            raise RateLimited(max(self._seconds_left(count) for count in spent))

    def _seconds_left(self, count: _Count) -> int:
        ends = self._limiter.get_window_stats(count.limit, count.of).reset_time
        seconds = ceil(ends - clock.now().timestamp())
        return max(1, min(seconds, count.limit.get_expiry()))


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
