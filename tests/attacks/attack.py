"""One row of the corpus, and how it is sent to the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.attacks.tokens import Good, compact

BOTH = ("access", "refresh")
ACCESS = ("access",)
REFRESH = ("refresh",)
COOKIE = "__Host-refresh_token"
INVALID = "invalid"
EXPIRED = "expired"


@dataclass(frozen=True)
class Sent:
    """One request as it is on the wire; header values are latin-1 text."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True)
class Attack:
    """A mutated token.

    Args:
        name: the mutation.
        reason: the requirement of security.md that it violates.
        forge: makes the mutated text from a good token.
        on: the kinds of token that are mutated.
        code_end: the end of the problem's code.
        planted: the session's row gets the hash of the mutated refresh token, so that only the
            verification of the token itself can refuse it.
    """

    name: str
    reason: str
    forge: Callable[[Good], str]
    on: tuple[str, ...] = BOTH
    code_end: str = INVALID
    planted: bool = True

    @property
    def status(self) -> int:
        return 401

    def code(self, kind: str) -> str:
        return f"{kind}_token_{self.code_end}"

    def requests(self, good: Good) -> list[Sent]:
        """Return a request for each place from which the service reads such a token."""
        text = self.forge(good)
        assert text != good.text, "nothing was changed"
        header = text.encode("utf-8", "replace").decode("latin-1")
        can_be_a_header = not any(character in header for character in "\r\n\0")
        if good.kind == "refresh":
            assert can_be_a_header
            return [refresh_with((("Cookie", f"{COOKIE}={header}"),))]
        member = Sent("GET", "/api/me", (JSON,), compact({"access_token": text}))
        bearer = me_with((("Authorization", f"Bearer {header}"),))
        return [member, bearer] if can_be_a_header else [member]


@dataclass(frozen=True)
class Transport:
    """A good token that is sent in a wrong way.

    Args: as of Attack; `carry` makes the request, which gets `status` and `problem`, a code.
    """

    name: str
    reason: str
    kind: str
    carry: Callable[[Good], Sent]
    problem: str
    status: int = 401

    @property
    def on(self) -> tuple[str, ...]:
        return (self.kind,)

    def code(self, kind: str) -> str:
        return self.problem

    def requests(self, good: Good) -> list[Sent]:
        return [self.carry(good)]


JSON = ("Content-Type", "application/json")


def me_with(headers: tuple[tuple[str, str], ...], query: str = "") -> Sent:
    return Sent("GET", f"/api/me{query}", headers)


def refresh_with(headers: tuple[tuple[str, str], ...], body: bytes = b"", query: str = "") -> Sent:
    return Sent("POST", f"/auth/refresh{query}", headers, body)
