"""Origins: scheme, host and port, as a browser writes them in `Origin` (RFC 6454)."""

import ipaddress
import re
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
_ORIGIN_OF_AN_APP = re.compile(
    r"(capacitor|ionic|tauri|app)://[a-z0-9._-]+"
    r"|chrome-extension://[a-p]{32}"
    r"|moz-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""Pages of Capacitor, Ionic, Tauri and Electron apps and of browser extensions."""
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


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


def origin_of_host(scheme: str, host: str) -> str | None:
    """Return the origin of a page that a request's scheme and Host header name.

    Unlike Werkzeug's `request.host` it allows an underscore, which host names of containers and
    internal DNS have.

    Args:
        scheme: http or https.
        host: the Host header. Case does not count, and the scheme's default port is dropped.
    """
    host = host.lower()
    match = _HOST.fullmatch(host)
    if match is None or int(match[1] or 0) > 65535:
        return None
    if match[1] == _DEFAULT_PORTS.get(scheme):
        host = host.removesuffix(f":{match[1]}")
    return f"{scheme}://{host}"


def exact_origin(text: str) -> str:
    """Return the text if it is exactly what a browser sends as `Origin`.

    Raises:
        ValueError: with a sentence that says what an origin looks like.
    """
    try:
        exact = _ORIGIN_OF_AN_APP.fullmatch(text) is not None or (
            _ORIGIN.fullmatch(text) is not None and text == origin_of(text)
        )
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
