"""CORS preflights (Fetch, "CORS-preflight fetch"): how a request is recognized as one."""

from flask import Request


def is_preflight(request: Request) -> bool:
    """Return whether a browser asks which cross-origin requests it may send."""
    return (
        request.method == "OPTIONS"
        and "HTTP_ORIGIN" in request.environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ
    )
