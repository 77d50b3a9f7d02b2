"""Origins: scheme, host and port, as a browser writes them in `Origin` (RFC 6454)."""

import ipaddress
import re
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")


def origin_of(url: str) -> str:
    """Return the origin of a URL.

    Raises:
        ValueError: the URL has an invalid port or IPv6 address.
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def exact_origin(text: str) -> str:
    """Return the text if it is exactly what a browser sends as `Origin`.

    Raises:
        ValueError: with a sentence that says what an origin looks like.
    """
    try:
        exact = _ORIGIN.fullmatch(text) is not None and text == origin_of(text)
    except ValueError:  # an invalid port or IPv6 address
        exact = False
    if not exact:
        raise ValueError(
            f"has {text!r}, which is not an origin: write scheme://host or scheme://host:port, "
            "in lower case, without a path and without the scheme's default port"
        )
    return text


def is_this_machine(host: str) -> bool:
    """Return whether a URL's host is this machine (RFC 6761 section 6.3, RFC 1122 3.2.1.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
