"""The origin and the URI by which clients reach this service."""

import re
from urllib.parse import quote, unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from flask import request

from authsvc.origins import origin_of, origin_of_host
from authsvc.settings import Settings

_AUTHORITY = re.compile("^[a-z][a-z0-9+.-]*://[^/?]*", re.ASCII | re.IGNORECASE)
"""What a request target in absolute form has before its path (RFC 9112 section 3.2.2)."""


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

    def uri(self) -> str | None:
        """Return the URI of the request as its client sent it, without query and fragment.

        It is None if the Host header is not a host.
        """
        origin = self.of_request()
        return None if origin is None else origin + _sent_path(request.environ)


def _sent_path(environ: WSGIEnvironment) -> str:
    """Return the path as the client sent it, with a prefix that a proxy removed."""
    target = str(environ.get("RAW_URI") or environ["REQUEST_URI"])
    path = _AUTHORITY.sub("", target).partition("?")[0]
    if unquote_to_bytes(path) == environ["PATH_INFO"].encode("latin-1"):
        path = quote(environ.get("SCRIPT_NAME", "").encode("latin-1")) + path
    return path
