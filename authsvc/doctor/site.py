"""Whether two origins are one site to a browser, which decides about SameSite cookies."""

import ipaddress
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


def same_site(one: str, other: str) -> bool:
    """Schemeful same-site (HTML Standard, section 7.1.1).

    The public suffix list is the one that the package `publicsuffixlist` brings: a browser's
    may be newer or older.
    """
    return _site(one) == _site(other)


def _site(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return parts.scheme, _registrable_domain(host) or host


def _registrable_domain(host: str) -> str | None:
    """None for an address, and for a name that is a public suffix itself, as `localhost` is."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _list().privatesuffix(host)
    return None


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()
