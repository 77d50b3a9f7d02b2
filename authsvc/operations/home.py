"""GET /: where to go from here, unless the operator's own app has a page there.

It is left out of the API's description, because an operator's route may take its place.
"""

from flask import Response, jsonify, make_response, render_template, request

from authsvc.guard.access_token import public
from authsvc.operations.docs import POLICY
from authsvc.settings import Settings
from authsvc.web import registry

RULE = "/<any(''):nothing>"
"""The path / as a rule with a variable part: a rule without one is tried before it, also if it is
registered later. So an operator's own page takes its place."""


@public
def home(nothing: str) -> Response:
    """Return a page in the demo, and otherwise the paths of the API's description as JSON."""
    if registry.get(Settings).demo:
        page = make_response(render_template("home.html", root=request.script_root))
        page.headers["Content-Security-Policy"] = POLICY
        return page
    paths = {"docs": "/docs", "openapi": "/openapi.json"}
    return jsonify(
        service="authsvc", **{name: request.script_root + path for name, path in paths.items()}
    )
