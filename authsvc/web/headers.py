"""The headers of every response."""

import os
import re
from collections.abc import Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request

DEFAULTS = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
_BY_NAME = [(pair[0].lower(), pair) for pair in DEFAULTS]
HSTS = ("Strict-Transport-Security", "max-age=31536000")
_HSTS_NAME = HSTS[0].lower()
HSTS_OF_SUBDOMAINS = (HSTS[0], f"{HSTS[1]}; includeSubDomains")

REQUEST_ID = "authsvc.request_id"
"""The name of a request's id in its WSGI environment."""

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id() -> str:
    """Return the id of this request, which its response and its log lines have."""
    return cast(str, request.environ[REQUEST_ID])


class ResponseHeaders:
    """WSGI middleware that adds the headers to each response.

    A header that a view has set is kept: a page has its own Content-Security-Policy.

    Args:
        app: the WSGI application that responds.
        hsts_include_subdomains: whether HTTPS is required of every subdomain too.
    """

    def __init__(self, app: WSGIApplication, *, hsts_include_subdomains: bool) -> None:
        self._app = app
        self._hsts = HSTS_OF_SUBDOMAINS if hsts_include_subdomains else HSTS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        own = sent if _SANE_ID.fullmatch(sent) else os.urandom(8).hex()
        environ[REQUEST_ID] = own

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            present = {name.lower() for name, _ in headers}
            headers += [pair for name, pair in _BY_NAME if name not in present]
            headers.append(("X-Request-ID", own))
            if environ["wsgi.url_scheme"] == "https" and _HSTS_NAME not in present:
                headers.append(self._hsts)
            if status.startswith("204"):  # a response without content has no type
                headers = [pair for pair in headers if pair[0] != "Content-Type"]
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)
