"""GET /demo: the demo page, if AUTHSVC_DEMO is on."""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, send_from_directory

from authsvc.guard.access_token import public
from authsvc.settings import Settings
from authsvc.web import registry

FILES = Path(__file__).parent.parent / "static" / "demo"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

demo = Blueprint("demo", __name__, url_prefix="/demo")


@demo.get("")
@public
def page() -> Response:
    settings = registry.get(Settings)
    response = make_response(
        render_template("demo.html", shortest_password=settings.password_min_length)
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response


@demo.get("/<any('demo.css', 'demo.js', 'timeline.js'):name>")
@public
def file(name: str) -> Response:
    return send_from_directory(FILES, name)
