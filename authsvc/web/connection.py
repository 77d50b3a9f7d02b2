"""Ask the server to close the connection after a response."""

from wsgiref.types import WSGIEnvironment

from flask import Request

CLOSES = "authsvc.closes_connection"
"""The name in a WSGI environment whose presence asks for it."""


def close_if_there_is_a_body(request: Request) -> None:
    """Close the connection after the response to a request whose body is not read, if it has one.

    Otherwise the server would wait for the rest of the body, and take the next request for it if
    the client declared a body that it does not send. Some proxies do.
    """
    if request.content_length or "HTTP_TRANSFER_ENCODING" in request.environ:
        request.environ[CLOSES] = True


def closes_after(status: str, environ: WSGIEnvironment) -> bool:
    """Return whether the server must close the connection after a response.

    After a 503 the client's retry then opens a new connection, which a less busy worker may accept.
    """
    return status.startswith("503") or CLOSES in environ
