"""GET /static/authsvc.js: the browser's modules, revalidated by their ETags at each page load."""

from pathlib import Path

from flask import Response

from authsvc.guard.access_token import public
from authsvc.web.etag import REVALIDATED, Revalidated
from authsvc.web.outputs import answers

FOLDER = Path(__file__).parent.parent / "static"
MODULE = Revalidated((FOLDER / "authsvc.js").read_bytes(), "text/javascript")
BINDING = Revalidated((FOLDER / "authsvc-binding.js").read_bytes(), "text/javascript")
FACTORS = Revalidated((FOLDER / "authsvc-factors.js").read_bytes(), "text/javascript")


@public
@answers(200, "text/javascript", headers=REVALIDATED, operation_id="static_authsvc_js")
def authsvc_js() -> Response:
    """Get the JavaScript module that keeps and refreshes a page's access token.

    It is an ES module without dependencies, and its types are in the same package.
    """
    return MODULE.response()


@public
@answers(200, "text/javascript", headers=REVALIDATED, operation_id="static_binding_js")
def binding_js() -> Response:
    """Get the module that binds a page's session to a key of its browser.

    `authsvc.js` imports it for `createAuth({ bind: true })`.
    """
    return BINDING.response()


@public
@answers(200, "text/javascript", headers=REVALIDATED, operation_id="static_factors_js")
def factors_js() -> Response:
    """Get the module for second factors, passkeys and reauthentication in a page.

    `withFactors` adds them to a client of `authsvc.js`.
    """
    return FACTORS.response()
