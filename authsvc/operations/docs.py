"""GET /docs: the API's description for people, with the explanation of each problem."""

from pathlib import Path

from flask import Response

from authsvc.guard.access_token import public
from authsvc.openapi.description import Description
from authsvc.web import registry
from authsvc.web.etag import REVALIDATED, Revalidated
from authsvc.web.outputs import answers

FOLDER = Path(__file__).parent.parent / "static" / "docs"
TYPES = {"docs.css": "text/css", "look.css": "text/css", "icon.svg": "image/svg+xml"}
FILES = {name: Revalidated((FOLDER / name).read_bytes(), kind) for name, kind in TYPES.items()}
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@public
@answers(200, "text/html", headers=REVALIDATED, operation_id="docs_page")
def page() -> Response:
    """Get this description as a page, with the meaning of each problem.

    The `type` of a problem leads to its explanation there.
    """
    response = registry.get(Description).page.response()
    response.headers["Content-Security-Policy"] = POLICY
    return response


@public
def file(name: str) -> Response:
    return FILES[name].response()
