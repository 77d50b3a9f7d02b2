"""The JSON Schema of a body that takes one of several members."""

from itertools import combinations
from typing import Any

_GIVEN = {"not": {"type": "null"}}


def at_most_one(*names: str) -> dict[str, Any]:
    """Return the keyword of a schema whose objects have at most one of these members.

    A member that is null counts as left out. The keyword is `not`, because generators of clients
    take the schema for a union if it is `oneOf`.

    Args:
        names: the members, which the schema describes as optional.
    """
    return _none_of([_both(*pair) for pair in combinations(names, 2)])


def exactly_one(*names: str) -> dict[str, Any]:
    """Return the keyword of a schema whose objects have one of these members; see `at_most_one`."""
    nothing = {"properties": {name: {"type": "null"} for name in names}}
    return _none_of([nothing, *(_both(*pair) for pair in combinations(names, 2))])


def _both(one: str, other: str) -> dict[str, Any]:
    return {"required": [one, other], "properties": {one: _GIVEN, other: _GIVEN}}


def _none_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return {"not": {"anyOf": schemas}}
