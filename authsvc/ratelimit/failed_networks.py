"""The networks whose logins failed lately.

While more logins come than fit, these networks get only a part of the places
(authsvc/users/hashing.py): so a flood of wrong passwords leaves room for other people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap

from authsvc import clock
from authsvc.problems import RETRY_SECONDS, InvalidCredentials, ServiceUnavailable
from authsvc.ratelimit.attempts import network_of
from authsvc.ratelimit.limits import FAILURES_PER_ADDRESS

REMEMBERED_SECONDS = FAILURES_PER_ADDRESS.seconds
"""How long a network is remembered after a login with wrong or right credentials."""

REFUSED_SECONDS = RETRY_SECONDS
"""How long it is remembered for a login that found no place: as long as the client is asked to
wait. Few clients of a flood wait, and they are known by that long before their passwords are."""

SLOTS = 32_768
"""A bound on memory: 256 KiB for all workers together."""

_Place = tuple[int, int]
"""The slot of a network, and the part of its hash that tells it from others there."""


class FailedNetworks:
    """Remembers networks in memory: it costs no statement, and refuses nothing by itself.

    The processes that are forked from the one which made this share the memory. A slot is one
    number: a part of the network's hash, the second in which to forget it, and whether its last
    login failed. If two networks have the same slot, the later one replaces the other, so nothing
    must be locked.

    Clients whose address is not known are one network, as for the limits.
    """

    def __init__(self) -> None:
        self._slots = memoryview(mmap(-1, SLOTS * 8)).cast("Q")

    def contains(self, address: str | None) -> bool:
        """Return whether the last login from the address's network failed, and lately.

        Args:
            address: the network address of a request; None if it is not known.
        """
        return self._last(_place(address))[0]

    @contextmanager
    def login(self, address: str | None) -> Iterator[bool]:
        """Enclose one login: if it fails it is remembered, and a success forgets the failure.

        Wrong credentials are remembered for 15 minutes. A 503, mostly of a login that found no
        place, is remembered until the client may retry, unless the last login from the network
        succeeded: many people may share it. Other problems change nothing.

        Yields what `contains` returns.

        Args:
            address: the network address of the request; None if it is not known.
        """
        place = _place(address)
        try:
            yield self._last(place)[0]
        except InvalidCredentials:
            self._remember(place, REMEMBERED_SECONDS, failed=True)
            raise
        except ServiceUnavailable:
            failed, seconds = self._last(place)
            if failed or not seconds:
                self._remember(place, max(REFUSED_SECONDS, seconds), failed=True)
            raise
        self._remember(place, REMEMBERED_SECONDS, failed=False)

    def _last(self, place: _Place) -> tuple[bool, int]:
        """Return whether the network's last login failed, and for how many seconds it is still
        remembered: False and 0 if it is not.
        """
        slot, name = place
        number = self._slots[slot]
        seconds = (number >> 1 & 0xFFFFFFFF) - int(clock.now().timestamp())
        # If the clock was set back, it is forgotten: no network is remembered for longer.
        if number >> 33 != name or not 0 < seconds <= REMEMBERED_SECONDS:
            return False, 0
        return bool(number & 1), seconds

    def _remember(self, place: _Place, seconds: int, *, failed: bool) -> None:
        slot, name = place
        until = int(clock.now().timestamp()) + seconds
        self._slots[slot] = name << 33 | until << 1 | failed


def _place(address: str | None) -> _Place:
    number = hash(network_of(address)) & 0xFFFFFFFFFFFFFFFF
    return number % SLOTS, number >> 33
