"""The headers that every response bears, whatever it answers."""

import re
import secrets
from typing import cast

from flask import Flask, Response, g, request

NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
ONE_YEAR = "max-age=31536000; includeSubDomains"

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def protect_responses(app: Flask) -> None:
    """Put the headers on each response of the app; a view's own policy for its page is kept."""
    app.after_request(_add_headers)


def request_id() -> str:
    """The id of this request, in its response and in every line logged about it."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _SANE_ID.fullmatch(sent) else secrets.token_hex(8)
    return cast(str, g.request_id)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", NO_CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Request-ID"] = request_id()
    if response.status_code == 204:
        del headers["Content-Type"]  # there is no content to have a type
    if request.is_secure:
        headers["Strict-Transport-Security"] = ONE_YEAR
    return response
