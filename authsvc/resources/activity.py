"""GET /api/me/activity: what happened to my account."""

from typing import Any
from uuid import UUID

from flask import request

from authsvc.audit.read import newest
from authsvc.facts import hashed
from authsvc.guard.access_token import current_access_token
from authsvc.problems import InvalidRequest

MOST = 100
"""Events in one answer; `?before=` and the id of the last one asks for those before it."""


def show_activity() -> dict[str, Any]:
    token = current_access_token()
    this_session = hashed(token.sid)
    events = newest(MOST, user_id=token.sub, before=_before())
    return {
        "events": [event.json() | {"current": event.session == this_session} for event in events]
    }


def _before() -> UUID | None:
    try:
        return UUID(request.args["before"]) if "before" in request.args else None
    except ValueError:
        raise InvalidRequest("`before` must be the id of an event.") from None
