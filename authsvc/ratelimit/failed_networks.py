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

WRONG_SECONDS = FAILURES_PER_ADDRESS.seconds
"""How long a network is remembered for wrong credentials."""

REFUSED_SECONDS = RETRY_SECONDS
"""How long it is remembered for a login that found no place: as long as the client is asked to
wait. Few clients of a flood wait, and they are known by that long before their passwords are."""

SLOTS = 32_768
"""A bound on memory: 256 KiB for all workers together."""


class FailedNetworks:
    """Remembers networks in memory: it costs no statement, and refuses nothing by itself.

    The memory is shared by the processes that are forked from the one which made this. It is a
    table of one number for each slot: half of the network's hash, and when to forget it. If two
    networks have the same slot, the later one replaces the other, so nothing must be locked.

    Clients whose address is not known are one network, as for the limits.
    """

    def __init__(self) -> None:
        self._slots = memoryview(mmap(-1, SLOTS * 8)).cast("Q")

    def contains(self, address: str | None) -> bool:
        """Return whether the last login from the address's network failed, and lately.

        Args:
            address: the network address of a request; None if it is not known.
        """
        slot, name = _place(address)
        return self._seconds_left(slot, name) > 0

    @contextmanager
    def login(self, address: str | None) -> Iterator[bool]:
        """Enclose one login: if it fails it is remembered, and a success forgets the network.

        It fails by wrong credentials, or because it found no place. Other problems change nothing.
        Yields what `contains` returns.

        Args:
            address: the network address of the request; None if it is not known.
        """
        slot, name = _place(address)
        try:
            yield self._seconds_left(slot, name) > 0
        except InvalidCredentials:
            self._remember(slot, name, WRONG_SECONDS)
            raise
        except ServiceUnavailable:
            self._remember(slot, name, max(REFUSED_SECONDS, self._seconds_left(slot, name)))
            raise
        if self._slots[slot] >> 32 == name:
            self._slots[slot] = 0

    def _seconds_left(self, slot: int, name: int) -> int:
        """Return for how long a network is still remembered: 0 if it is not."""
        number = self._slots[slot]
        seconds = (number & 0xFFFFFFFF) - _now()
        # If the clock was set back, it is forgotten: no network is remembered for longer.
        return seconds if number >> 32 == name and 0 < seconds <= WRONG_SECONDS else 0

    def _remember(self, slot: int, name: int, seconds: int) -> None:
        self._slots[slot] = name << 32 | _now() + seconds


def _place(address: str | None) -> tuple[int, int]:
    """Return the network's slot, and the half of its hash that tells it from others there."""
    number = hash(network_of(address)) & 0xFFFFFFFFFFFFFFFF
    return number % SLOTS, number >> 32


def _now() -> int:
    return int(clock.now().timestamp())
