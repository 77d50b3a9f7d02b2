"""The deployment that is looked at: what its URL says."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from authsvc.origins import is_this_machine, origin_of


@dataclass(frozen=True)
class Target:
    """Where the service is.

    Args:
        scheme: ``http`` or ``https``.
        host: its name or address.
        port: its port.
        prefix: the path below which it is mounted; usually empty.
        origin: its own origin, as a browser writes it.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    origin: str

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether what is sent there stays on this machine."""
        return is_this_machine(self.host)


def target_of(url: str) -> Target:
    """Read a URL.

    Raises:
        ValueError: with a sentence that says what is wrong with it.
    """
    fault = f"{url!r} is not a URL such as https://auth.example.com"
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        origin = origin_of(url)
    except (ValueError, KeyError):  # a port or an address that is none; another scheme
        raise ValueError(fault) from None
    beyond = parts.query or parts.fragment or "@" in parts.netloc
    if not parts.hostname or beyond or not url.isascii() or not url.isprintable():
        raise ValueError(fault)
    return Target(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), origin)
