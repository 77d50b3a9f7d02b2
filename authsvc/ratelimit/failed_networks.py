"""The networks whose logins failed lately, as far as this process knows.

While more logins come than fit, these networks get only a part of the places
(authsvc/users/hashing.py): so a flood of wrong passwords leaves room for other people.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from authsvc import clock
from authsvc.problems import InvalidCredentials, ServiceUnavailable
from authsvc.problems.service import RETRY_SECONDS
from authsvc.ratelimit.attempts import network_of
from authsvc.ratelimit.limits import FAILURES_PER_ADDRESS


class FailedNetworks:
    """Remembers networks in memory: it costs no statement, and refuses nothing by itself.

    Clients whose address is not known are one network, as for the limits.
    """

    MAX_NETWORKS = 4096
    """Networks remembered at once: a bound on memory. The one that failed first is forgotten."""

    def __init__(self) -> None:
        self._wrong = timedelta(seconds=FAILURES_PER_ADDRESS.seconds)
        self._refused = timedelta(seconds=RETRY_SECONDS)
        self._networks: OrderedDict[str, _Failed] = OrderedDict()
        self._lock = Lock()

    def contains(self, address: str | None) -> bool:
        """Return whether the last login from the address's network failed, and lately.

        Args:
            address: the network address of a request; None if it is not known.
        """
        failed = self._networks.get(network_of(address))
        # If the clock was set back, it is forgotten: no network is remembered for longer.
        return failed is not None and failed.at <= clock.now() < failed.until

    @contextmanager
    def login(self, address: str | None) -> Iterator[bool]:
        """Enclose one login: if it fails it is remembered, and a success forgets the network.

        Wrong credentials are remembered for 15 minutes. A login that found no place is remembered
        for as long as the client is asked to wait: most of a flood does not, and is known by that
        before its passwords are. Any other problem changes nothing.

        Yields what `contains` returns.

        Args:
            address: the network address of the request; None if it is not known.
        """
        try:
            yield self.contains(address)
        except InvalidCredentials:
            self._remember(network_of(address), self._wrong)
            raise
        except ServiceUnavailable:
            self._remember(network_of(address), self._refused)
            raise
        self._networks.pop(network_of(address), None)

    def _remember(self, network: str, duration: timedelta) -> None:
        now = clock.now()
        with self._lock:
            failed = self._networks.pop(network, None)
            until = now + duration
            if failed is not None and failed.at <= now:
                until = max(until, failed.until)
            self._networks[network] = _Failed(now, until)
            if len(self._networks) > self.MAX_NETWORKS:
                self._networks.popitem(last=False)


class _Failed(NamedTuple):
    at: datetime
    until: datetime
