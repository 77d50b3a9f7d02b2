"""What becomes known about a request while it is handled, for the one line that is logged of it."""

import hashlib
from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import has_request_context, request

_CONTEXT = "authsvc.log_context"


def bind(*, user: UUID | None = None, session: UUID | None = None, code: str | None = None) -> None:
    """Add fields to the current request's log line. Outside a request, do nothing.

    Args:
        user: the id of the account that the request is about.
        session: the id of the session; the line holds a hash of it.
        code: the code of the problem in the response.
    """
    if not has_request_context():
        return
    fields = bound(request.environ)
    if user is not None:
        fields["user"] = str(user)
    if session is not None:
        fields["session"] = session_hash(session)
    if code is not None:
        fields["code"] = code


@lru_cache(maxsize=4096)
def session_hash(session: UUID) -> str:
    """Return the name of a session in the log and the audit trail, which must not hold its id."""
    return hashlib.sha256(session.bytes).hexdigest()[:16]


def bound(environ: dict[str, Any]) -> dict[str, str]:
    """Return the fields bound so far to the request with this WSGI environment."""
    fields: dict[str, str] = environ.setdefault(_CONTEXT, {})
    return fields
