"""The service to examine, as its URL describes it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from authsvc.origins import is_this_machine, origin_of


@dataclass(frozen=True)
class Target:
    """The service's place.

    Args:
        scheme: ``http`` or ``https``.
        host: a name or an IP address.
        port: the TCP port.
        prefix: the path below which the service is mounted; usually empty.
        origin: the service's own origin, as a browser writes it.
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
        """Whether requests to it stay on this machine."""
        return is_this_machine(self.host)


def target_of(url: str) -> Target:
    """Parse a URL.

    Raises:
        ValueError: it is not an http or https URL of a service.
    """
    fault = f"{url!r} is not a URL such as https://auth.example.com"
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        origin = origin_of(url)
    except (ValueError, KeyError):  # an invalid port or address; another scheme
        raise ValueError(fault) from None
    beyond = parts.query or parts.fragment or "@" in parts.netloc
    if not parts.hostname or beyond or not url.isascii() or not url.isprintable():
        raise ValueError(fault)
    return Target(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), origin)
