"""Translate pydantic's validation errors into the faults of a `validation_failed`."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from authsvc.problems import Fault, FaultCode

_CODES = {
    "extra_forbidden": FaultCode.UNKNOWN_MEMBER,
    "unexpected_keyword_argument": FaultCode.UNKNOWN_MEMBER,
    "string_too_short": FaultCode.TOO_SHORT,
    "string_too_long": FaultCode.TOO_LONG,
    "bytes_too_short": FaultCode.TOO_SHORT,
    "bytes_too_long": FaultCode.TOO_LONG,
    "url_too_long": FaultCode.TOO_LONG,
    "greater_than": FaultCode.TOO_SMALL,
    "greater_than_equal": FaultCode.TOO_SMALL,
    "less_than": FaultCode.TOO_LARGE,
    "less_than_equal": FaultCode.TOO_LARGE,
    "int_parsing_size": FaultCode.TOO_LARGE,
    "date_past": FaultCode.TOO_LARGE,
    "datetime_past": FaultCode.TOO_LARGE,
    "date_future": FaultCode.TOO_SMALL,
    "datetime_future": FaultCode.TOO_SMALL,
    "enum": FaultCode.NOT_ALLOWED,
    "literal_error": FaultCode.NOT_ALLOWED,
    "union_tag_invalid": FaultCode.NOT_ALLOWED,
    "url_scheme": FaultCode.NOT_ALLOWED,
    "union_tag_not_found": FaultCode.MISSING,
    "int_from_float": FaultCode.WRONG_TYPE,
    "none_required": FaultCode.WRONG_TYPE,
    "is_instance_of": FaultCode.WRONG_TYPE,
    "string_unicode": FaultCode.INVALID_CHARACTERS,
    "string_not_ascii": FaultCode.INVALID_CHARACTERS,
    "bytes_invalid_encoding": FaultCode.INVALID_CHARACTERS,
    "string_pattern_mismatch": FaultCode.INVALID_FORMAT,
    "multiple_of": FaultCode.INVALID_FORMAT,
    "finite_number": FaultCode.INVALID_FORMAT,
    "date_from_datetime_inexact": FaultCode.INVALID_FORMAT,
    "url_syntax_violation": FaultCode.INVALID_FORMAT,
    "uuid_version": FaultCode.INVALID_FORMAT,
    "timezone_naive": FaultCode.INVALID_FORMAT,
    "timezone_aware": FaultCode.INVALID_FORMAT,
    "timezone_offset": FaultCode.INVALID_FORMAT,
    "decimal_max_digits": FaultCode.INVALID_FORMAT,
    "decimal_max_places": FaultCode.INVALID_FORMAT,
    "decimal_whole_digits": FaultCode.INVALID_FORMAT,
}
"""The code of each kind of error that is not itself a code and that no rule below covers."""

_RULES = (
    ("_type", FaultCode.WRONG_TYPE),
    ("_parsing", FaultCode.INVALID_FORMAT),
    ("_invalid", FaultCode.INVALID_FORMAT),
)
"""The code of each kind of error that ends so."""

_SENTENCES = {
    "union_tag_invalid": "Input should be one of the allowed kinds",
    "uuid_parsing": "Input should be a valid UUID",
    "timezone_offset": "Input should have another timezone offset",
    "byte_size_unit": "Input should have a known unit of bytes",
}
"""Instead of pydantic's own sentences, which repeat a part of what was sent."""

_EMAIL_STR = "value is not a valid email address"
"""How the sentence of pydantic's `EmailStr` begins, which has no type of its own."""


def faults_of(error: ValidationError, body: Any) -> list[Fault]:
    """Return what is wrong with a body, without any of its values.

    Args:
        error: what pydantic raised.
        body: the JSON value that it refused.
    """
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [Fault(_pointer(one, body), *_told(one)) for one in found]


def code_of(kind: str) -> FaultCode:
    """Return the code for a type of error of pydantic.

    A validator can raise `PydanticCustomError` with one of our codes as its type.
    """
    if kind in _CODES:
        return _CODES[kind]
    try:
        return FaultCode(kind)
    except ValueError:
        ruled = (code for ending, code in _RULES if kind.endswith(ending))
        return next(ruled, FaultCode.INVALID)


def _told(error: ErrorDetails) -> tuple[str, FaultCode]:
    """Return the sentence and the code."""
    kind, sentence = error["type"], error["msg"]
    if kind == "value_error" and sentence.startswith(_EMAIL_STR):
        return "This is not an e-mail address.", FaultCode.INVALID_EMAIL
    own = sentence.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return _SENTENCES.get(kind, own), code_of(kind)


def _pointer(error: ErrorDetails, body: Any) -> str:
    """Return the JSON pointer of the member (RFC 6901)."""
    parts = _path(error, body)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _path(error: ErrorDetails, body: Any) -> Iterator[str]:
    """Yield the names on the way to the member.

    Of pydantic's location, only the parts that are in the body count: others name the branch of
    a union. A missing member is not in the body.
    """
    value, last = body, len(error["loc"]) - 1
    for position, part in enumerate(error["loc"]):
        found = _within(value, part)
        if found:
            value = value[part]
        if found or (position == last and error["type"] == "missing"):
            yield str(part)


def _within(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)
