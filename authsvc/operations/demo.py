"""GET /demo and the pages below it, if AUTHSVC_DEMO is on."""

from pathlib import Path

from flask import Blueprint, Response

from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.mail.letter import PAGES
from authsvc.operations import demo_inbox
from authsvc.operations.demo_page import demo_page
from authsvc.problems import NotFound
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.etag import Revalidated

FOLDER = Path(__file__).parent.parent / "static" / "demo"
TYPES = {".css": "text/css", ".js": "text/javascript"}
FILES = {
    path.name: Revalidated(path.read_bytes(), TYPES[path.suffix])
    for path in FOLDER.iterdir()
    if path.suffix in TYPES
}

demo = Blueprint("demo", __name__, url_prefix="/demo")


@demo.get("")
@public
def page() -> Response:
    settings = registry.get(Settings)
    return demo_page(
        "demo.html",
        registration_open=settings.registration == "open",
        access_token_life=settings.access_token_ttl,
        cookie=registry.get(RefreshCookie).name,
    )


@demo.get("/<name>")
@public
def file(name: str) -> Response:
    """Return a file, or the page that a mail's link leads to."""
    if name in PAGES.values() and registry.get(Settings).sends_mail:
        return demo_page("demo_link.html", page=name)
    if name not in FILES:
        raise NotFound
    return FILES[name].response()


demo.get("/inbox")(demo_inbox.inbox)
demo.get("/inbox/mails")(demo_inbox.mails)
demo.get("/inbox/mails/<id>")(demo_inbox.mail)
demo.get("/inbox/mails/<id>/html")(demo_inbox.html)
