"""/api/me/sessions: where am I logged in, and how do I end it."""

from dataclasses import dataclass
from uuid import UUID

from flask import after_this_request

from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import COOKIE_CLEARED, clear_refresh_cookie
from authsvc.sessions import listing, revoke
from authsvc.sessions.lifecycle import Sessions
from authsvc.web.outputs import answers
from authsvc.web.registry import component


@dataclass(frozen=True)
class LiveSessions:
    """Where the person is logged in.

    Args:
        sessions: the live ones, newest first.
    """

    sessions: list[listing.LiveSession]


@answers(200)
def show_all() -> LiveSessions:
    """List the account's live sessions, newest first."""
    token, idle_ttl = current_access_token(), component(Sessions).idle_ttl
    return LiveSessions(listing.live_sessions(token.sub, idle_ttl, current=token.sid))


@answers(204)
def revoke_one(sid: UUID) -> None:
    """End one live session of the account.

    Its refresh token is refused at once, its access tokens within a second.

    Args:
        sid: the session's id.
    """
    listing.revoke_one(current_access_token().sub, sid, component(Sessions).idle_ttl)


@answers(204, headers=COOKIE_CLEARED)
def revoke_all() -> None:
    """Log out everywhere: end every session of the account, this one too."""
    with writing() as connection:
        revoke.revoke_all(connection, current_access_token().sub)
    after_this_request(clear_refresh_cookie)
