"""Whether a browser takes two origins for one site, which decides about SameSite cookies."""

import ipaddress
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


def same_site(one: str, other: str) -> bool:
    """Return whether the origins are schemefully same-site (HTML Standard, section 7.1.1).

    The public suffix list is the one of the package `publicsuffixlist`; a browser's may be newer
    or older.
    """
    return _site(one) == _site(other)


def _site(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return parts.scheme, _registrable_domain(host) or host


def _registrable_domain(host: str) -> str | None:
    """Return None for an IP address, and for a public suffix itself, such as `localhost`."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _list().privatesuffix(host)
    return None


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()
