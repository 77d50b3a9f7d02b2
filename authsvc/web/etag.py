"""What stays the same while the process runs: browsers keep it, and ask each time if it changed."""

import hashlib

from flask import Response, request

REVALIDATED = {"ETag": "A hash of the body. Sent back in `If-None-Match`, it saves the body: 304."}
"""The header that such an answer bears, and what it means."""


class Revalidated:
    """A body with its hash.

    Args:
        body: its bytes.
        mimetype: what they are.
    """

    def __init__(self, body: bytes, mimetype: str) -> None:
        self._body = body
        self._mimetype = mimetype
        self._hash = hashlib.sha256(body).hexdigest()

    def response(self) -> Response:
        """The body, or 304 where the client has it."""
        response = Response(self._body, mimetype=self._mimetype)
        response.cache_control.no_cache = True
        response.set_etag(self._hash)
        response.make_conditional(request)
        return response
