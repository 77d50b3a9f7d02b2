"""JSON as RFC 8259 has it and no wider: what two parsers could read differently is refused."""

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
"""Levels of nesting: far more than any document here needs, far fewer than the stack holds."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class NotStrictJson(ValueError):
    """The bytes are not JSON, or are JSON of which a reader could be misled."""


def loads(text: bytes) -> Any:
    """The value that the bytes spell.

    Raises:
        NotStrictJson: not UTF-8, a byte order mark (RFC 8259 section 8.1), not JSON, duplicate
            members (section 4), NaN, Infinity or a number that becomes it (section 6), or
            nested too deeply (section 9).
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
        raise NotStrictJson("a number too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_constant=_no_constants, parse_float=_finite
)
