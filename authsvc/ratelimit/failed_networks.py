"""The networks whose logins failed lately.

While more logins come than fit, these networks get only a part of the places
(authsvc/users/hashing.py): so a flood of wrong passwords leaves room for other people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap

from authsvc import clock
from authsvc.problems import RETRY_SECONDS, InvalidCredentials, ServiceUnavailable
from authsvc.ratelimit.attempts import UNKNOWN, network_of
from authsvc.ratelimit.limits import FAILURES_PER_ADDRESS

REMEMBERED_SECONDS = FAILURES_PER_ADDRESS.seconds
"""How long a network is remembered after a login with wrong or right credentials."""

REFUSED_SECONDS = RETRY_SECONDS
"""How long it is remembered for a login that found no place: as long as the client is asked to
wait. Few clients of a flood wait, and they are known by that long before their passwords are."""

SLOTS = 32_768
"""A bound on memory: 256 KiB for all workers together."""

TICKS, MASK = 8, 0xFFFFFFFF
"""A time is kept in eighths of a second, of which the lower 32 bits are enough."""

_Place = tuple[int, int]
"""The slot of a network, and the part of its hash that tells it from others there."""


class FailedNetworks:
    """Remembers networks in memory: it costs no statement, and refuses nothing by itself.

    The processes that are forked from the one which made this share the memory. A slot is one
    number: a part of the network's hash, the time when to forget it, and whether its last login
    failed. If two networks have the same slot, the later one replaces the other, so nothing
    must be locked.

    Clients whose address is not known are not told apart, so nothing is remembered of them.
    """

    def __init__(self) -> None:
        self._slots = memoryview(mmap(-1, SLOTS * 8)).cast("Q")

    def contains(self, address: str | None) -> bool:
        """Return whether the last login from the address's network failed, and lately.

        Args:
            address: the network address of a request; None if it is not known.
        """
        return self._has_failed(_place(address))

    @contextmanager
    def login(self, address: str | None) -> Iterator[bool]:
        """Enclose one login: if it fails it is remembered, and a success forgets the failure.

        Wrong credentials are remembered for 15 minutes. A 503, mostly of a login that found no
        place, is remembered until the client may retry. Another one prolongs that only if it comes
        in half of that time: people who share an address and wait do not keep each other out. It
        replaces nothing else. Other problems change nothing.

        Yields what `contains` returns.

        Args:
            address: the network address of the request; None if it is not known.
        """
        place = _place(address)
        try:
            yield self._has_failed(place)
        except InvalidCredentials:
            self._remember(place, REMEMBERED_SECONDS, failed=True)
            raise
        except ServiceUnavailable:
            self._remember_refusal(place)
            raise
        self._remember(place, REMEMBERED_SECONDS, failed=False)

    def _has_failed(self, place: _Place | None) -> bool:
        if place is None:
            return False
        slot, name = place
        number = self._slots[slot]
        return number >> 33 == name and bool(number & 1) and self._ticks_left(slot) > 0

    def _ticks_left(self, slot: int) -> int:
        """Return for how long the network of a slot is still to be remembered."""
        ticks = ((self._slots[slot] >> 1) - _now()) & MASK
        # If the clock was set back, it is forgotten: no network is remembered for longer.
        return ticks if ticks <= REMEMBERED_SECONDS * TICKS else 0

    def _remember_refusal(self, place: _Place | None) -> None:
        if place is None:
            return
        left = self._ticks_left(place[0]) / TICKS
        is_early = REFUSED_SECONDS / 2 < left <= REFUSED_SECONDS
        if not left or (is_early and self._has_failed(place)):
            self._remember(place, REFUSED_SECONDS, failed=True)

    def _remember(self, place: _Place | None, seconds: int, *, failed: bool) -> None:
        if place is not None:
            slot, name = place
            until = (_now() + seconds * TICKS) & MASK
            self._slots[slot] = name << 33 | until << 1 | failed


def _place(address: str | None) -> _Place | None:
    """Return the place of the address's network; None if it is not known."""
    network = network_of(address)
    if network == UNKNOWN:
        return None
    number = hash(network) & 0xFFFFFFFFFFFFFFFF
    return number % SLOTS, number >> 33


def _now() -> int:
    return int(clock.now().timestamp() * TICKS) & MASK
