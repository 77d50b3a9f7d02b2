"""Reading a request's JSON body, strictly and once."""

from io import BytesIO
from typing import Any, cast

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected, HTTPException

from authsvc import strict_json
from authsvc.problems import InvalidRequest, RequestTooLarge, UnsupportedMediaType
from authsvc.web.problem_json import response_to
from authsvc.web.whole_body import Again

MAX_BODY = 16 * 1024
"""The longest body of a request, in bytes."""

# Kept with the request and not in `g`, which outlives it if the caller pushed an app context.
_CUT_SHORT = "The body ended before it was complete. Send the request again."
_BYTES = "authsvc.body"
_JSON = "authsvc.web.json_body"


def is_json() -> bool:
    """Return whether the request declares a JSON body."""
    return "CONTENT_TYPE" in request.environ and request.mimetype == "application/json"


def json_member(name: str) -> Any:
    """Return a member of the JSON object in the body; None without a body or such a member.

    Beside an Authorization header, a body over `MAX_BODY` is left to the view, which may allow it.

    Raises: as `json_body` does.
    """
    if (
        not is_json()
        or ("HTTP_AUTHORIZATION" in request.environ and _is_long())
        or not body_bytes()
    ):
        return None
    value = json_body()
    return value.get(name) if isinstance(value, dict) else None


def json_body() -> Any:
    """Return the JSON value in the body, which is read once.

    Raises:
        UnsupportedMediaType: the request declares an encoding other than plain UTF-8.
        RequestTooLarge: the body is longer than the app's MAX_CONTENT_LENGTH.
        InvalidRequest: the body is not strict JSON.
    """
    if _JSON not in request.environ:
        request.environ[_JSON] = _read_json()
    return request.environ[_JSON]


def refuse_long_body() -> Response | None:
    """Refuse a body over `MAX_BODY`: a hook for the routes that have no limit of their own."""
    return response_to(RequestTooLarge()) if _is_long() else None


def _is_long() -> bool:
    """Return whether the body is longer than `MAX_BODY`, of which at most that much is read."""
    if request.content_length is not None:
        return request.content_length > MAX_BODY
    if _BYTES in request.environ or "wsgi.input_terminated" not in request.environ:
        return False
    source, head = request.environ["wsgi.input"], b""
    try:
        while len(head) <= MAX_BODY and (more := source.read(MAX_BODY + 1 - len(head))):
            head += more
    except Exception:  # each server has its own class for a body with broken framing
        raise InvalidRequest(_CUT_SHORT) from None
    request.environ["wsgi.input"] = Again(head, source)
    return len(head) > MAX_BODY


def plain_body() -> bytes:
    """Return the body of a request that declares it as UTF-8 without a Content-Encoding.

    Raises: as `json_body` does.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if charset not in ("utf-8", "utf8") or encoding != "identity":
        raise UnsupportedMediaType
    return body_bytes()


def _read_json() -> Any:
    try:
        return strict_json.loads(plain_body())
    except strict_json.NotStrictJson:
        raise InvalidRequest("The body is not valid JSON.") from None


def body_bytes() -> bytes:
    """Return the body, which is read once.

    Raises:
        RequestTooLarge: it is longer than the app's MAX_CONTENT_LENGTH.
        InvalidRequest: it ended early.
    """
    if _BYTES not in request.environ:
        request.environ[_BYTES] = _read_body()
    return cast(bytes, request.environ[_BYTES])


def _read_body() -> bytes:
    limit = request.max_content_length or MAX_BODY
    # A chunked body does not declare its length. Werkzeug truncates it silently at its limit, so
    # read one byte more than ours: if that byte arrives, the body is too large.
    request.max_content_length = limit + 1
    data = _received()
    request.max_content_length = limit
    if len(data) > limit:
        raise RequestTooLarge
    if len(data) < (request.content_length or 0):
        raise InvalidRequest(_CUT_SHORT)
    return data


def _received() -> bytes:
    try:
        data = request.get_data()
    except ClientDisconnected:
        raise InvalidRequest(_CUT_SHORT) from None
    except HTTPException:
        raise
    except Exception:  # each server has its own class for a body with broken framing
        raise InvalidRequest(_CUT_SHORT) from None
    request.stream = BytesIO(data)  # for a view that reads the body as a stream
    return data
