"""GET /demo: the demo page, if AUTHSVC_DEMO is on."""

from pathlib import Path

from flask import Blueprint, Response, make_response, render_template

from authsvc.guard.access_token import public
from authsvc.problems import NotFound
from authsvc.settings import Settings
from authsvc.version import __version__
from authsvc.web import registry
from authsvc.web.etag import Revalidated

FOLDER = Path(__file__).parent.parent / "static" / "demo"
TYPES = {".css": "text/css", ".js": "text/javascript"}
FILES = {
    path.name: Revalidated(path.read_bytes(), TYPES[path.suffix])
    for path in FOLDER.iterdir()
    if path.suffix in TYPES
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

demo = Blueprint("demo", __name__, url_prefix="/demo")


@demo.get("")
@public
def page() -> Response:
    settings = registry.get(Settings)
    html = render_template(
        "demo.html",
        version=__version__,
        registration_open=settings.registration == "open",
        shortest_password=settings.password_min_length,
        access_token_life=settings.access_token_ttl,
    )
    response = make_response(html)
    response.headers["Content-Security-Policy"] = POLICY
    return response


@demo.get("/<name>")
@public
def file(name: str) -> Response:
    if name not in FILES:
        raise NotFound
    return FILES[name].response()
