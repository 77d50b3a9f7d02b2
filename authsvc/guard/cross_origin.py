"""What pages of other origins may do: which are refused, and which CORS allows."""

from flask import Flask, Response, request

from authsvc.origins import origin_of
from authsvc.problems import CrossOriginRefused
from authsvc.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT_SECONDS = 600
EXPOSED = "Retry-After, WWW-Authenticate, X-Request-ID"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-ID"
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


class CrossOriginGuard:
    """Refuses state-changing requests that a browser sends for a page of another origin.

    The order of the rules is that of Go's net/http.CrossOriginProtection: browsers set
    `Origin` and `Sec-Fetch-Site`, and no page can forge either.

    Args:
        app: the app to protect.
        settings: has the allowed origins and, in the issuer, the service's own.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._allowed = frozenset(settings.allowed_origins)
        self._own = origin_of(settings.issuer) if settings.issuer else None
        app.before_request(self._refuse)
        if self._allowed:
            app.after_request(self._add_cors)

    def _refuse(self) -> None:
        if request.method in SAFE_METHODS:
            return
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site")
        if origin in self._allowed:
            return
        if site is not None:
            if site not in ("same-origin", "none"):
                raise CrossOriginRefused
        elif origin is not None and origin != self._own_origin():
            raise CrossOriginRefused

    def _add_cors(self, response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
                response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        return response

    def _own_origin(self) -> str | None:
        if self._own is None and not request.host:
            return None  # the Host header is not a host
        return self._own or origin_of(request.host_url)
