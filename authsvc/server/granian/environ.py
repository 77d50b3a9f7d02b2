"""Make a WSGI environment from what granian knows about a request."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from authsvc.monitoring.log_output import log_stream

_ALWAYS: WSGIEnvironment = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.version": (1, 0),
    "wsgi.errors": log_stream,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}

_PROTOCOLS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1"}

MAX_NAMES = 1000
_names: dict[bytes, str] = {}
"""The names of WSGI by names of headers: at most `MAX_NAMES`, since clients choose them."""


class BadRequest(Exception):
    """The request must be refused before the app sees it (RFC 9112). The text says why."""


def environ_of(scope: dict[str, Any]) -> WSGIEnvironment:
    """Return the environment of a request, without its body.

    Args:
        scope: granian's description of the request, as ASGI defines it.

    Raises:
        BadRequest: the request has no Host header, or several.
    """
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    server, port = scope["server"]
    text = path.decode("latin-1")
    parameters = query.decode("latin-1")
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if b"%" in path else text,
        "QUERY_STRING": parameters,
        "RAW_URI": f"{text}?{parameters}" if query else text,
        "SERVER_PROTOCOL": _PROTOCOLS[scope["http_version"]],
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope["client"][0],
        "REMOTE_PORT": scope["client"][1],
        "wsgi.url_scheme": scope["scheme"],
    }
    _add_headers(environ, scope["headers"])
    if port == "0":  # a Unix socket, which has a path in the place of an address
        environ.update(SERVER_NAME="localhost", SERVER_PORT="80", REMOTE_PORT="")
    return environ


def _add_headers(environ: WSGIEnvironment, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Add the headers. Those with an underscore are left out: WSGI cannot tell them from others.

    A client could otherwise send `X_Forwarded_For` past a proxy that replaces `X-Forwarded-For`.
    """
    for name, value in headers:
        key = _names.get(name) or _wsgi_name(name)
        text = value.decode("latin-1")
        if key not in environ:
            environ[key] = text
        elif key == "HTTP_COOKIE":  # lines are one list (RFC 9113 section 8.2.3)
            environ[key] += f"; {text}"
        elif key == "HTTP_HOST":
            raise BadRequest("The request has several Host headers.")
        elif key:
            environ[key] += f",{text}"
    environ.pop("", None)
    if "HTTP_TRANSFER_ENCODING" in environ and "CONTENT_LENGTH" in environ:
        # Both together can smuggle a request past a proxy that trusts the other one.
        raise BadRequest("The request has a Content-Length and a Transfer-Encoding.")
    if not environ["HTTP_HOST"]:  # granian adds an empty one if there is none
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            raise BadRequest("The request has no Host header.")
        del environ["HTTP_HOST"]


def _wsgi_name(name: bytes) -> str:
    """Return the name in the environment for a header, or an empty one to leave it out."""
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    if len(_names) < MAX_NAMES:
        _names[name] = key
    return key
