"""The networks whose last login failed, as far as this process knows.

While more logins come than fit, these networks get only a part of the places
(authsvc/users/hashing.py): so a flood of wrong passwords leaves room for other people.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock

from authsvc import clock
from authsvc.problems import InvalidCredentials
from authsvc.ratelimit.attempts import network_of
from authsvc.ratelimit.limits import FAILURES_PER_ADDRESS


class FailedNetworks:
    """Remembers networks in memory: a wrong guess costs no statement and refuses nothing itself.

    Clients whose address is not known are one network, as for the limits.
    """

    MAX_NETWORKS = 4096
    """Networks remembered at once: a bound on memory. The one that failed first is forgotten."""

    def __init__(self) -> None:
        self._window = timedelta(seconds=FAILURES_PER_ADDRESS.seconds)
        self._failed_at: OrderedDict[str, datetime] = OrderedDict()
        self._lock = Lock()

    def contains(self, address: str | None) -> bool:
        """Return whether the last login from the address's network failed, and lately.

        Args:
            address: the network address of a request; None if it is not known.
        """
        return self._contains(network_of(address))

    @contextmanager
    def login(self, address: str | None) -> Iterator[bool]:
        """Enclose one login: a failure is remembered, and a success forgets those before it.

        Yields what `contains` returns. A login that ends in another problem changes nothing.

        Args:
            address: the network address of the request; None if it is not known.
        """
        network = network_of(address)
        try:
            yield self._contains(network)
        except InvalidCredentials:
            self._remember(network)
            raise
        self._failed_at.pop(network, None)

    def _contains(self, network: str) -> bool:
        failed_at = self._failed_at.get(network)
        # A clock that was set back forgets, so that no network is remembered for longer.
        return failed_at is not None and timedelta() <= clock.now() - failed_at < self._window

    def _remember(self, network: str) -> None:
        with self._lock:
            self._failed_at[network] = clock.now()
            self._failed_at.move_to_end(network)
            if len(self._failed_at) > self.MAX_NETWORKS:
                self._failed_at.popitem(last=False)
