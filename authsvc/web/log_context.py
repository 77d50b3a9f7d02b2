"""What is found out about a request on its way, for the one line that is logged about it."""

import hashlib
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import has_request_context, request

_FACTS = "authsvc.facts"


def note(*, user: UUID | None = None, session: UUID | None = None, code: str | None = None) -> None:
    """Keep a fact for the log line; outside a request there is none to keep it for.

    Args:
        user: whose account it is about.
        session: which session; only a hash of its id is kept.
        code: the problem that was answered.
    """
    if not has_request_context():
        return
    facts = noted(request.environ)
    if user is not None:
        facts["user"] = str(user)
    if session is not None:
        facts["session"] = hashed(session)
    if code is not None:
        facts["code"] = code


@lru_cache(maxsize=4096)
def hashed(session: UUID) -> str:
    """What a session is called where its id must not stand: in the log and the audit trail."""
    return hashlib.sha256(session.bytes).hexdigest()[:16]


def noted(environ: dict[str, Any]) -> dict[str, str]:
    """The facts so far about the request with this WSGI environment."""
    facts: dict[str, str] = environ.setdefault(_FACTS, {})
    return facts
