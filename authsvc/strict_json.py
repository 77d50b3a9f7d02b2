"""Parse JSON strictly by RFC 8259. Text that two parsers could read differently is refused."""

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
"""Levels of nesting: far more than any document here needs, and far below the recursion limit."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
"""A string, also one that does not end: otherwise the search for its end would begin again at each
quotation mark in it, and take time that grows with the square of the length."""


class NotStrictJson(ValueError):
    """The bytes are not JSON, or are JSON that another parser could read differently."""


def loads(text: bytes) -> Any:
    """Return the value of the JSON text.

    Raises:
        NotStrictJson: the text is not UTF-8, begins with a byte order mark (RFC 8259 section
            8.1), is not JSON, repeats a member (section 4), has NaN, Infinity or a number that
            overflows to it (section 6), or is nested too deeply (section 9).
    """
    try:
        decoded = text.decode("utf-8")
        _refuse_deep_nesting(decoded)
        return _DECODER.decode(decoded)
    except (ValueError, RecursionError) as error:
        raise NotStrictJson from error


def _refuse_deep_nesting(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise NotStrictJson("nested too deeply")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("duplicate members")
    return members


def _no_constants(name: str) -> NoReturn:
    raise NotStrictJson(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotStrictJson("the number is too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_constant=_no_constants, parse_float=_finite
)
