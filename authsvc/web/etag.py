"""Responses that do not change while the process runs: browsers cache and revalidate them."""

import hashlib

from flask import Response, request

REVALIDATED = {"ETag": "A hash of the body. Sent back in `If-None-Match`, it saves the body: 304."}
"""The header of such a response, and its meaning."""


class Revalidated:
    """A body with its hash.

    Args:
        body: its bytes.
        mimetype: its media type.
    """

    def __init__(self, body: bytes, mimetype: str) -> None:
        self._body = body
        self._mimetype = mimetype
        self._hash = hashlib.sha256(body).hexdigest()

    def response(self) -> Response:
        """Return the body, or 304 if the client has it."""
        response = Response(self._body, mimetype=self._mimetype)
        response.cache_control.no_cache = True
        response.set_etag(self._hash)
        response.make_conditional(request)
        return response
