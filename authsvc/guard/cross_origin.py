"""What pages of other origins may do: which are refused, and which CORS allows."""

import re

from flask import Flask, Response, request

from authsvc.guard.asked_by_proxy import is_asked_by_proxy
from authsvc.guard.own_origin import OwnOrigin
from authsvc.problems import CrossOriginRefused
from authsvc.settings import Settings
from authsvc.settings.values import HEADER_NAME
from authsvc.web.preflight import is_preflight
from authsvc.web.problem_json import response_to

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT_SECONDS = 600
EXPOSED = ("Retry-After", "WWW-Authenticate", "X-Request-ID", "DPoP-Nonce")
ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-ID"
MAX_REQUESTED_HEADERS = 1024
"""Characters of the names that a preflight may request."""
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"

_HEADER_NAMES = re.compile(rf"{HEADER_NAME}(?:[ \t]*,[ \t]*{HEADER_NAME})*", re.ASCII)


class CrossOriginGuard:
    """Refuses state-changing requests that a browser sends for a page of another origin.

    The order of the rules is that of Go's net/http.CrossOriginProtection: browsers set
    `Origin` and `Sec-Fetch-Site`, and no page can forge either.

    Args:
        app: the app to protect.
        settings: has the allowed origins.
        own: the service's own origin.
    """

    def __init__(self, app: Flask, settings: Settings, own: OwnOrigin) -> None:
        self._allowed = frozenset(settings.allowed_origins)
        self._own = own
        self._exposed = ", ".join((*EXPOSED, *settings.exposed_headers))
        self._views = app.view_functions
        app.before_request(self._refuse)
        if self._allowed:
            app.after_request(self._add_cors)

    def _refuse(self) -> Response | None:
        if request.method in SAFE_METHODS:
            return None
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site")
        if origin in self._allowed:
            return None
        if site is not None:
            allowed = site in ("same-origin", "none")
        else:
            allowed = origin is None or origin == self._own.of_request()
        return None if allowed or self._is_asked_by_proxy() else response_to(CrossOriginRefused())

    def _is_asked_by_proxy(self) -> bool:
        """Return whether the view changes nothing, and the method is that of another request."""
        rule = request.url_rule
        return rule is not None and is_asked_by_proxy(self._views[rule.endpoint])

    def _add_cors(self, response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = self._exposed
            if is_preflight(request):
                response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
                response.headers["Access-Control-Allow-Headers"] = _requested_headers()
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response


def _requested_headers() -> str:
    """Return the names of the headers that a preflight requests, or else the usual ones.

    A listed origin may send any header: tracing tools add their own. Only a list of names
    (RFC 9110 section 5.1) of bounded length is repeated.
    """
    requested = request.headers.get("Access-Control-Request-Headers", "")
    if len(requested) > MAX_REQUESTED_HEADERS or not _HEADER_NAMES.fullmatch(requested):
        return ALLOWED_HEADERS
    return requested
