"""What is wrong with one member of a body: for a program a code, for a person a sentence."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class FaultCode(StrEnum):
    """The codes of `errors` in `validation_failed`, each with its meaning. The set is closed."""

    meaning: str

    def __new__(cls, code: str, meaning: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    MISSING = "missing", "A required member is absent."
    WRONG_TYPE = "wrong_type", "The value has another JSON type, such as a number for a string."
    UNKNOWN_MEMBER = "unknown_member", "The route does not take this member."
    TOO_SHORT = "too_short", "The text has too few characters, or the list too few items."
    TOO_LONG = "too_long", "The text has too many characters, or the list too many items."
    TOO_SMALL = "too_small", "The number is too small, or the time too early."
    TOO_LARGE = "too_large", "The number is too large, or the time too late."
    NOT_ALLOWED = "not_allowed", "The value is not one of those that are allowed."
    INVALID_FORMAT = (
        "invalid_format",
        "The text or number does not have the format, such as a UUID.",
    )
    INVALID_CHARACTERS = "invalid_characters", "The text contains characters that it must not."
    INVALID_EMAIL = "invalid_email", "The text is not an e-mail address."
    BREACHED = "breached", "The password is on lists that attackers try first."
    CONTAINS_EMAIL = "contains_email", "The password is the e-mail address with little else."
    INVALID = "invalid", "Something else, which `detail` describes."


@dataclass(frozen=True)
class Fault:
    """What is wrong with one member of a body.

    Args:
        pointer: where it is (RFC 6901).
        detail: what is wrong, for a person; never the value.
        code: what is wrong, for a program.
    """

    pointer: str
    detail: str
    code: FaultCode = FaultCode.INVALID
