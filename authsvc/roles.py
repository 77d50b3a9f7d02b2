"""Roles: the names that an operator gives to people, and that a view may ask for."""

import re
from collections.abc import Iterable
from typing import Any

MOST = 16
"""Roles of one person: with as many of the longest names an access token is within its 4 KiB."""
PATTERN = "[a-z0-9][a-z0-9_.:-]{0,63}"
_NAME = re.compile(PATTERN)

Roles = tuple[str, ...]


def is_role(text: str) -> bool:
    """Whether the text is a role's name."""
    return _NAME.fullmatch(text) is not None


def parse(text: str) -> Roles:
    """The roles in a text such as ``users.roles`` holds: names with a space between.

    Operators write it by SQL, so whatever may stand there shuts nobody out: a word that is no
    name grants nothing, and neither does what comes after as many names as a person may have.
    """
    return tuple(dict.fromkeys(filter(_NAME.fullmatch, text.split(" "))))[:MOST]


def join(roles: Iterable[str]) -> str:
    """The text of these roles."""
    return " ".join(roles)


def checked(value: Any) -> Roles:
    """The roles in a claim, a list of different names (RFC 9068 section 2.2.3.1).

    Whoever has no role has no such claim, so an empty list is none either.

    Raises:
        ValueError: it is anything else.
    """
    if type(value) is not list or not 1 <= len(value) <= MOST:
        raise ValueError("no list of roles")
    if not all(type(name) is str and is_role(name) for name in value):
        raise ValueError("not all of it are roles")
    if len(set(value)) < len(value):
        raise ValueError("a role comes twice")
    return tuple(value)
