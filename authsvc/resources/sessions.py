"""/api/me/sessions: list the sessions of the account, and revoke them."""

from dataclasses import dataclass
from uuid import UUID

from flask import after_this_request

from authsvc.audit.record import user_at
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import COOKIE_CLEARED, RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.resources.account import current_account
from authsvc.sessions import revoke
from authsvc.sessions.list import LiveSession, live_sessions
from authsvc.sessions.tokens import SessionTokens
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.outputs import answers


@dataclass(frozen=True)
class LiveSessions:
    """The live sessions of the account.

    Args:
        sessions: the sessions, newest first.
    """

    sessions: list[LiveSession]


@answers(200, operation_id="sessions_show_all")
def show_all() -> LiveSessions:
    """List the account's live sessions, newest first.

    A session that has expired or was revoked is not listed.
    """
    user_id, idle_ttl = current_account().id, registry.get(SessionTokens).idle_ttl
    return LiveSessions(live_sessions(user_id, idle_ttl, current=current_access_token().sid))


@answers(204, operation_id="sessions_revoke_one")
def revoke_one(sid: UUID) -> None:
    """Revoke one live session of the account.

    Its refresh token is refused at once, and its access tokens within a second.

    Args:
        sid: the session's id.
    """
    idle_ttl = registry.get(SessionTokens).idle_ttl
    revoke.revoke_one(current_account().id, sid, idle_ttl, user_at(current_client()))


@answers(204, headers=COOKIE_CLEARED, operation_id="sessions_revoke_all")
def revoke_all() -> None:
    """Log out everywhere: revoke every session of the account, including this one.

    All refresh tokens are refused at once, and all access tokens within a second. A link that
    waits to change the address is void.
    """
    outbox = registry.get(Outbox)
    revoke.revoke_all(current_account().id, user_at(current_client()), outbox)
    after_this_request(registry.get(RefreshCookie).clear)
