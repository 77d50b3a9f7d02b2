"""Who sent the request, as far as the network and the headers say."""

from dataclasses import dataclass

from flask import request

from authsvc.web.forwarded import address_of

MAX_USER_AGENT = 255
"""Characters kept of a User-Agent header."""


@dataclass(frozen=True)
class Client:
    """Where a request came from.

    Args:
        ip_address: the client's address, in canonical form; None if it is not known.
        user_agent: the beginning of its User-Agent header; None if there is none.
        key: the thumbprint of the key that it proved to hold (RFC 7638); None if it proved none.
    """

    ip_address: str | None = None
    user_agent: str | None = None
    key: str | None = None


def current_client(key: str | None = None) -> Client:
    """Return the client of the current request.

    Args:
        key: the thumbprint of the key that it proved to hold.
    """
    browser = request.headers.get("User-Agent", "")[:MAX_USER_AGENT] or None
    return Client(remote_address(), browser, key)


def remote_address() -> str | None:
    """Return the client's IP address, as the configured proxies report it."""
    return address_of(request.remote_addr or "")
