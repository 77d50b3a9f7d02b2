"""Where a request may have its access token (R3): the Authorization header or the JSON body."""

from typing import Literal

from flask import Request

from authsvc.problems import AccessTokenInvalid, AccessTokenMissing, InvalidRequest
from authsvc.web.json_body import json_member


def sent_token(
    request: Request, *, read_body: Literal["always", "without a header", "never"]
) -> str:
    """Return the access token of the header or the JSON body, never from elsewhere.

    Args:
        request: the current request.
        read_body: whether to look for a token in the body too.

    Raises:
        AccessTokenMissing: there is none.
        AccessTokenInvalid: the body's is not a string.
        InvalidRequest: there are two.
    """
    header: str | None = request.environ.get("HTTP_AUTHORIZATION")
    look_inside = read_body == "always" or (read_body == "without a header" and header is None)
    in_body = json_member("access_token") if look_inside else None
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
