"""Language tags (BCP 47)."""

import re

PATTERN = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$"

_LOCALE = re.compile(PATTERN, re.ASCII)


def is_locale(text: str) -> bool:
    """Return whether the text has the form of a language tag: a language, then subtags."""
    return _LOCALE.fullmatch(text) is not None
