"""What every problem has: a status, a stable code, a sentence, and perhaps headers of its own."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

REALM = 'Bearer realm="authsvc"'

CHALLENGE = {"WWW-Authenticate": "The Bearer challenge (RFC 6750 section 3)."}
RETRY_AFTER = {"Retry-After": "Seconds to wait before the next attempt."}


def challenge(error: str, description: str) -> str:
    """Return the value of WWW-Authenticate for a refused access token (RFC 6750 section 3)."""
    return f'{REALM}, error="{error}", error_description="{description}"'


class Problem(Exception):
    """An error with a stable code for programs and a sentence for people.

    Args:
        detail: the sentence for this occurrence, if it has a better one than its class.
            It never contains anything that the client sent.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    adds: ClassVar[Mapping[str, str]] = {}
    """The headers that a response with this problem has besides the usual ones, each with its
    meaning."""
    detail: str

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(self.code)
        self.detail = detail or type(self).detail

    def headers(self) -> Mapping[str, str]:
        """Return the headers that this problem adds to the response."""
        return {}

    def members(self) -> Mapping[str, Any]:
        """Return the members that it has besides those that all problems have."""
        return {}


def every_problem(kind: type[Problem] = Problem) -> list[type[Problem]]:
    """Return every problem of a kind that has a code of its own, in the order of the tree."""
    return sorted(_below(kind), key=lambda problem: problem.status)


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _below(child)
