"""Read the body of a request as a form (application/x-www-form-urlencoded)."""

from urllib.parse import parse_qsl

from flask import request

from authsvc.problems import InvalidRequest
from authsvc.web.json_body import plain_body

FORM = "application/x-www-form-urlencoded"


def is_form() -> bool:
    """Return whether the request declares a form as its body."""
    return request.mimetype == FORM


def form_parameters() -> list[tuple[str, str]]:
    """Return the parameters of the form. One without a value counts as omitted (RFC 6749 3.1).

    Raises:
        UnsupportedMediaType: the request declares an encoding other than plain UTF-8.
        RequestTooLarge: the body is longer than the app's MAX_CONTENT_LENGTH.
        InvalidRequest: the body is not UTF-8.
    """
    try:
        return parse_qsl(plain_body().decode("utf-8"), encoding="utf-8", errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("The body is not a form in UTF-8.") from None
