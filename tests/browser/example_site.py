"""A site as an operator would build it: authsvc, the pages of examples/, and an API of its own."""

from pathlib import Path

from flask import Blueprint, Flask, Response, request, send_from_directory

from authsvc import create_app
from authsvc.guard import current_access_token, public

EXAMPLES = Path(__file__).parents[2] / "examples"
PAGES = {
    "react": EXAMPLES / "react/dist",
    "vue": EXAMPLES / "vue/dist",
    "svelte": EXAMPLES / "svelte/dist",
    "next": EXAMPLES / "next/out",
    "libraries": EXAMPLES / "libraries/dist",
}
# Next writes inline scripts into its pages. The others work with 'self' alone.
INLINE = {"next": " 'unsafe-inline'"}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="70" height="30"/>'

site = Blueprint("site", __name__)


@site.get("/<any(react, vue, svelte, next, libraries):name>/")
@site.get("/<any(react, vue, svelte, next, libraries):name>/<path:file>")
@public
def page(name: str, file: str = "index.html") -> Response:
    response = send_from_directory(PAGES[name], file)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self'{INLINE.get(name, '')}; style-src 'self'"
        f"{INLINE.get(name, '')}; frame-ancestors 'none'"
    )
    return response


@site.get("/api/events")
def events() -> Response:
    user = current_access_token().sub
    blocks = ["data: hello\n\n", f"event: user\ndata: {user}\n", "\n", ": a comment\n\n"]
    return Response(iter(blocks), mimetype="text/event-stream")


@site.get("/api/picture.svg")
def picture() -> Response:
    return Response(PICTURE, mimetype="image/svg+xml")


@site.post("/api/files")
def files() -> tuple[dict[str, int], int]:
    request.max_content_length = 1024 * 1024
    return {"size": len(request.get_data())}, 201


def make_site() -> Flask:
    app = create_app()
    app.register_blueprint(site)
    return app
