"""The relying party of passkeys: the domain that they belong to, and the origins that use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from authsvc.guard.own_origin import OwnOrigin


@dataclass(frozen=True)
class Site:
    """What a ceremony must be for.

    Args:
        domain: the RP id (WebAuthn level 3, section 4). A passkey works for this domain alone.
        origins: the origins whose pages may use it.
    """

    domain: str
    origins: tuple[str, ...]


@dataclass(frozen=True)
class RelyingParty:
    """The relying party of a service.

    Args:
        own: the service's own origin.
        domain: the configured domain; by default the host of the service's own origin.
        allowed_origins: the other origins whose pages may log people in.
    """

    own: OwnOrigin
    domain: str | None
    allowed_origins: Sequence[str]

    def of_request(self) -> Site:
        """Return what a ceremony of the current request must be for."""
        own = self.own.of_request()  # None if the Host header is not a host
        domain = self.domain or urlsplit(own or "").hostname or ""
        return Site(domain, (*([own] if own else []), *self.allowed_origins))
