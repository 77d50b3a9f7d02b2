"""GET /static/authsvc.js: the browser's module, revalidated by its hash at each page load."""

import hashlib
from pathlib import Path

from flask import Response, request

from authsvc.guard.access_token import public

MODULE = (Path(__file__).parent.parent / "static" / "authsvc.js").read_bytes()
MODULE_HASH = hashlib.sha256(MODULE).hexdigest()


@public
def authsvc_js() -> Response:
    response = Response(MODULE, mimetype="text/javascript")
    response.cache_control.no_cache = True
    response.set_etag(MODULE_HASH)
    response.make_conditional(request)
    return response
