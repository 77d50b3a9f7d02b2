"""Find sessions that are used from two places in turn, as an owner and a thief would use one.

This is a sign and not a proof, and refuses nothing. It is cheap: each worker sees only the
refreshes that it answers, and remembers each for a minute.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from threading import Lock
from typing import Literal
from uuid import UUID

from authsvc.web.browsers import browser_of
from authsvc.web.client import Client

WITHIN = timedelta(minutes=1)
"""A browser that moves from one network to another does not come back so soon."""
MAX_SESSIONS = 10_000
"""Sessions remembered at once: a bound on memory."""
IPV4_PREFIX, IPV6_PREFIX = 16, 32
"""Bits of an address that name a network. A provider may give a client several addresses."""

Changed = Literal["browser", "network"]


class TwoPlaces:
    """Remembers from where each session was refreshed in the last minute."""

    def __init__(self) -> None:
        self._uses: OrderedDict[UUID, _Uses] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Return the number of sessions that are remembered."""
        return len(self._uses)

    def use(self, sid: UUID, client: Client, now: datetime) -> Changed | None:
        """Return what changed and changed back within a minute; usually None.

        Args:
            sid: the session that was just refreshed.
            client: where from.
            now: our time.
        """
        with self._lock:
            uses = self._uses.get(sid)
            if uses is None:
                self._uses[sid] = _Uses(client, now)
                self._evict(now)
                return None
            self._uses.move_to_end(sid)
            changed = _difference(uses.client, client)
            is_back = changed is not None and uses.was_elsewhere(client, now)
            if changed is not None:
                uses.other, uses.other_at = uses.client, uses.at
            uses.client, uses.at = client, now
        return changed if is_back else None

    def _evict(self, now: datetime) -> None:
        """Drop sessions that were used longest ago: too many, or longer than a minute ago."""
        while len(self._uses) > MAX_SESSIONS or next(iter(self._uses.values())).at < now - WITHIN:
            self._uses.popitem(last=False)


@dataclass(slots=True)
class _Uses:
    """The last use of a session, and the last from another place before it."""

    client: Client
    at: datetime
    other: Client | None = None
    other_at: datetime | None = None

    def was_elsewhere(self, client: Client, now: datetime) -> bool:
        """Return whether the place before the last one was this one, within a minute."""
        if self.other is None or self.other_at is None:
            return False
        is_recent = abs(now - self.other_at) <= WITHIN  # the clock may have been set back
        return is_recent and _difference(self.other, client) is None


def _difference(one: Client, other: Client) -> Changed | None:
    if one == other:
        return None
    if browser_of(one.user_agent) != browser_of(other.user_agent):
        return "browser"
    return "network" if _are_networks_apart(one.ip_address, other.ip_address) else None


def _are_networks_apart(one: str | None, other: str | None) -> bool:
    """Return whether two addresses are of different networks.

    An IPv4 and an IPv6 address cannot be compared: a browser may have both and use either.
    """
    if one is None or other is None:
        return False
    first, second = ip_address(one), ip_address(other)
    prefix = IPV4_PREFIX if isinstance(first, IPv4Address) else IPV6_PREFIX
    same_kind = first.version == second.version
    return same_kind and second not in ip_network((first, prefix), strict=False)
