"""WSGI middleware that finds the client's address, scheme, host and prefix behind proxies."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from mmap import mmap
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.http import parse_list_header

SIGNS_OF_A_PROXY = frozenset(
    f"HTTP_{name}"
    for name in (
        *("FORWARDED", "VIA", "X_REAL_IP", "X_CLIENT_IP", "TRUE_CLIENT_IP", "CF_CONNECTING_IP"),
        *("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT"),
        *("X_FORWARDED_PREFIX", "X_FORWARDED_SERVER", "X_FORWARDED_SCHEME", "X_FORWARDED_SSL"),
        *("X_FORWARDED_PROTOCOL", "X_FORWARDED_BY", "X_ORIGINAL_FORWARDED_FOR"),
    )
)
"""The headers that proxies add, by their names in a WSGI environment."""

_PORT = r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
_NODE = re.compile(rf"(?:([0-9.]+){_PORT}|\[([0-9A-Fa-f:.]+)\]{_PORT}|([0-9A-Fa-f:.]+))")

LONGEST_ADDRESS = 45
"""Characters of the longest IPv6 address, which ends in an IPv4 address."""


def address_of(node: str) -> str | None:
    """Return the IP address of a node, in canonical form; None if it has none.

    Args:
        node: as proxies write it (RFC 7239 section 6): an address, with or without a port and,
            for IPv6, brackets; or ``unknown``. An IPv4-mapped address is an IPv4 address.
    """
    match = _NODE.fullmatch(node.strip())
    if match is None:
        return None
    address: str = match[1] or match[2] or match[3]
    return _canonical(address) if len(address) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=1024)
def _canonical(address: str) -> str | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


class ForwardedHeaders:
    """WSGI middleware that applies the ``X-Forwarded-*`` headers of trusted proxies.

    It differs from Werkzeug's ProxyFix in three points: an address may have a port and brackets;
    of fewer ``-Proto`` or ``-Host`` values than hops the last one counts, because a proxy in
    between may pass these headers on unchanged; and an IPv4-mapped address becomes an IPv4 one.

    Args:
        app: the WSGI application that responds.
        hops: the number of trusted proxies; with 0 the headers are ignored.
        prefix: the path below which clients reach the service, such as ``/accounts``; a proxy has
            removed it from the request's path. ``X-Forwarded-Prefix`` is never read: proxies that
            do not set it pass a client's own on. If the server sets ``SCRIPT_NAME``, that counts.
    """

    def __init__(self, app: WSGIApplication, hops: int, prefix: str = "") -> None:
        self._app = app
        self._hops = hops
        self._prefix = prefix
        # Shared with the workers, because they are forked after the app was made. Without
        # preloading each worker has its own.
        self._seen = mmap(-1, 1)

    @property
    def seen(self) -> bool:
        """Whether a request to any worker had a header that proxies add, since the boot."""
        return self._seen[0] != 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._seen[0] and not SIGNS_OF_A_PROXY.isdisjoint(environ):
            self._seen[0] = 1
        if self._hops:
            self._apply(environ)
        if self._prefix and not environ.get("SCRIPT_NAME"):
            environ["SCRIPT_NAME"] = self._prefix
        peer = environ.get("REMOTE_ADDR", "")
        if ":" in peer:
            environ["REMOTE_ADDR"] = address_of(peer) or peer
        return self._app(environ, start_response)

    def _apply(self, environ: WSGIEnvironment) -> None:
        nodes = parse_list_header(environ.get("HTTP_X_FORWARDED_FOR", ""))
        if len(nodes) >= self._hops:
            # Without an address, such as "unknown", the proxy's own must not take its place.
            environ["REMOTE_ADDR"] = address_of(nodes[-self._hops]) or ""
        scheme = self._of(environ, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = self._of(environ, "HTTP_X_FORWARDED_HOST")
        if host:
            environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
            if ":" in host and not host.endswith("]"):
                environ["SERVER_NAME"], environ["SERVER_PORT"] = host.rsplit(":", 1)

    def _of(self, environ: WSGIEnvironment, name: str) -> str:
        values = parse_list_header(environ.get(name, ""))
        if not values:
            return ""
        return values[-self._hops] if len(values) >= self._hops else values[-1]
