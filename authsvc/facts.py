"""What is found out about a request on its way, for the one line that is logged about it."""

import hashlib
from uuid import UUID

from flask import g


def note(*, user: UUID | None = None, session: UUID | None = None, code: str | None = None) -> None:
    """Keep a fact for the log line.

    Args:
        user: whose account it is about.
        session: which session; only a hash of its id is kept.
        code: the problem that was answered.
    """
    facts = noted()
    if user is not None:
        facts["user"] = str(user)
    if session is not None:
        facts["session"] = hashlib.sha256(session.bytes).hexdigest()[:16]
    if code is not None:
        facts["code"] = code


def noted() -> dict[str, str]:
    """The facts so far."""
    if "facts" not in g:
        g.facts = {}
    facts: dict[str, str] = g.facts
    return facts
