"""The result of a check: a verdict, what it found, and what to do next."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        verdict: the result.
        found: what was examined, and what was found.
        next: what to do, a sentence that names the setting; empty if the verdict is ok.
    """

    verdict: Verdict
    found: str
    next: str = ""


def ok(found: str) -> Finding:
    return Finding(Verdict.OK, found)


def warning(found: str, next: str) -> Finding:
    return Finding(Verdict.WARNING, found, next)


def failed(found: str, next: str) -> Finding:
    return Finding(Verdict.FAILED, found, next)


def not_checked(found: str, next: str) -> Finding:
    return Finding(Verdict.NOT_CHECKED, found, next)


def ok_unless(faults: list[str], found: str, next: str) -> Finding:
    """Return ok with what was found, or, if there are faults, failed with all of them."""
    return failed("; ".join(faults), next) if faults else ok(found)


def quoted(text: str) -> str:
    """Return at most 40 characters of a server's text, without terminal control characters."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
