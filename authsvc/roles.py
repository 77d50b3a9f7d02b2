"""Roles: names that an operator grants to a user, and that a view may require."""

import re
from collections.abc import Iterable
from typing import Any

MAX_ROLES = 16
"""Roles per user. An access token with this many of the longest names stays below 4 KiB."""
PATTERN = "[a-z0-9][a-z0-9_.:-]{0,63}"
_NAME = re.compile(PATTERN)

Roles = tuple[str, ...]


def is_role(text: str) -> bool:
    """Return whether the text is a valid name of a role."""
    return _NAME.fullmatch(text) is not None


def parse(text: str) -> Roles:
    """Return the roles in the text of ``users.roles``: names separated by spaces.

    Operators write this column by SQL, so invalid text must not lock a user out: a word that is
    not a valid name is skipped, and so are names beyond `MAX_ROLES`.
    """
    return tuple(dict.fromkeys(filter(_NAME.fullmatch, text.split(" "))))[:MAX_ROLES]


def join(roles: Iterable[str]) -> str:
    """Return the text of these roles, as ``users.roles`` has it."""
    return " ".join(roles)


def checked(value: Any) -> Roles:
    """Return the roles in a `roles` claim, a list of distinct names (RFC 9068 section 2.2.3.1).

    The token of a user without roles does not have the claim, so an empty list is refused.

    Raises:
        ValueError: the claim is anything else.
    """
    if type(value) is not list or not 1 <= len(value) <= MAX_ROLES:
        raise ValueError("not a list of roles")
    if not all(type(name) is str and is_role(name) for name in value):
        raise ValueError("an item is not a role")
    if len(set(value)) < len(value):
        raise ValueError("a role is repeated")
    return tuple(value)
