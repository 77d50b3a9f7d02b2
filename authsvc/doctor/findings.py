"""What a check says: a verdict, what it found, and what to do next."""

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
        verdict: how it went.
        found: what was looked at, and what was there.
        next: what to do, a sentence that names the setting; empty where all is well.
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


def all_well(found: str, faults: list[str], next: str) -> Finding:
    """Ok without faults; else failed, and they are told."""
    return failed("; ".join(faults), next) if faults else ok(found)


def quoted(text: str) -> str:
    """A little of what a server sent, with nothing in it that moves a terminal's cursor."""
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
