"""The origin and the URI by which clients reach this service."""

from urllib.parse import quote

from flask import request

from authsvc.origins import origin_of, origin_of_host
from authsvc.settings import Settings


class OwnOrigin:
    """The service's own origin: that of the issuer, or else what the request says.

    Args:
        settings: has the issuer.
    """

    def __init__(self, settings: Settings) -> None:
        self._issuer = origin_of(settings.issuer) if settings.issuer else None

    def of_request(self) -> str | None:
        """Return the origin; None if the Host header is not a host."""
        host = request.environ.get("HTTP_HOST", "")
        return self._issuer or origin_of_host(request.scheme, host)

    def uri(self) -> str:
        """Return the URI of the request as its client sent it, without query and fragment."""
        environ = request.environ
        target = str(environ.get("RAW_URI") or environ["REQUEST_URI"])
        path = target.partition("?")[0]
        prefix = quote(request.root_path.encode("latin-1"))
        if not path.startswith(f"{prefix}/"):
            path = prefix + path  # a proxy removed it
        return f"{self.of_request()}{path}"
