"""Language tags (BCP 47)."""

import re

PATTERN = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$"

_LOCALE = re.compile(PATTERN, re.ASCII)
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_SCRIPTS_RIGHT_TO_LEFT = frozenset({"arab", "hebr", "thaa"})


def is_locale(text: str) -> bool:
    """Return whether the text has the form of a language tag: a language, then subtags."""
    return _LOCALE.fullmatch(text) is not None


def fallbacks(locale: str) -> list[str]:
    """Return the tag and then each that is wider, in lower case: `de-at`, `de` (RFC 4647, 3.4)."""
    parts = locale.lower().split("-")
    return ["-".join(parts[:number]) for number in range(len(parts), 0, -1)]


def is_right_to_left(locale: str) -> bool:
    """Return whether the language is written from right to left; a script in the tag decides."""
    language, *subtags = locale.lower().split("-")
    scripts = [subtag for subtag in subtags if len(subtag) == 4 and subtag.isalpha()]
    if scripts:
        return scripts[0] in _SCRIPTS_RIGHT_TO_LEFT
    return language in _RIGHT_TO_LEFT
