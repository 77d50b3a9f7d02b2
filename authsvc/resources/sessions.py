"""/api/me/sessions: where am I logged in, and how do I end it."""

from typing import Any
from uuid import UUID

from flask import Response

from authsvc.components import component
from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import clear_refresh_cookie
from authsvc.sessions import listing, revoke
from authsvc.sessions.lifecycle import Sessions


def show_all() -> dict[str, Any]:
    token = current_access_token()
    live = listing.live_sessions(token.sub, component(Sessions).idle_ttl)
    return {"sessions": [session.json(current=session.id == token.sid) for session in live]}


def revoke_one(sid: UUID) -> Response:
    listing.revoke_one(current_access_token().sub, sid, component(Sessions).idle_ttl)
    return Response(status=204)


def revoke_all() -> Response:
    with writing() as connection:
        revoke.revoke_all(connection, current_access_token().sub)
    return clear_refresh_cookie(Response(status=204))
