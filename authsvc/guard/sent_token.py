"""Where a request may have its access token (R3): the Authorization header or the JSON body."""

from flask import Request

from authsvc.problems import AccessTokenInvalid, AccessTokenMissing, InvalidRequest, Problem
from authsvc.web.json_body import MAX_BODY, is_json, json_member


def sent_token(request: Request, *, beside_a_header: bool) -> str:
    """Return the access token of the header or the JSON body, never from elsewhere.

    Args:
        request: the current request.
        beside_a_header: whether the body is read although there is an Authorization header, to
            refuse a second token.

    Raises:
        AccessTokenMissing: there is none.
        AccessTokenInvalid: the body's is not a string.
        InvalidRequest: there are two.
    """
    header: str | None = request.environ.get("HTTP_AUTHORIZATION")
    in_body = json_member("access_token") if header is None or beside_a_header else None
    if in_body is not None and header is not None:
        raise InvalidRequest(
            "The request has an Authorization header and an access_token in its body. "
            "Send one of them."
        )
    if in_body is not None:
        if not isinstance(in_body, str):
            raise AccessTokenInvalid
        return in_body
    if header is None:
        raise AccessTokenMissing
    scheme, _, token = header.partition(" ")
    if "," in header:  # the server joins several headers so, and no Bearer token has a comma
        raise InvalidRequest("The request has more than one Authorization header. Send one.")
    if scheme.lower() != "bearer":
        raise AccessTokenMissing
    return token


def sent_token_of_another(request: Request) -> str:
    """Return the access token of a request that a proxy forwards to another service.

    The body is for that service. It is read only without an Authorization header, and only if it
    is JSON of a declared length that our own routes accept: it may be absent or of any size.

    Raises:
        AccessTokenMissing: there is none, or the body cannot be read.
        AccessTokenInvalid: the body's is not a string.
        InvalidRequest: there are several Authorization headers.
    """
    if "HTTP_AUTHORIZATION" in request.environ:
        return sent_token(request, beside_a_header=False)
    if not is_json() or not 0 < (request.content_length or 0) <= MAX_BODY:
        raise AccessTokenMissing
    try:
        return sent_token(request, beside_a_header=False)
    except AccessTokenInvalid:
        raise
    except Problem:
        raise AccessTokenMissing from None
