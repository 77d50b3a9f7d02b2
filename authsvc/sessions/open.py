"""Open a session, as a login does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.roles import Roles
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.revoke import revoke_tokens
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.access import AccessToken
from authsvc.tokens.jws import token_hash
from authsvc.users.authentication import Authenticated, recheck_and_lock
from authsvc.web import log_context
from authsvc.web.client import Client


@dataclass(frozen=True)
class Opened:
    """The tokens of a session that was just opened.

    Args:
        access_token: the token that the page keeps in memory.
        refresh_token: the value of the cookie.
        max_age: seconds until the session expires.
    """

    access_token: AccessToken
    refresh_token: str
    max_age: int


def open_session(
    tokens: SessionTokens, user: Authenticated, client: Client, replaced: list[str]
) -> Opened:
    """Open a new session for the user and return its tokens.

    Args:
        tokens: issues the two tokens.
        user: the user, whose password was verified a moment ago.
        client: the address and browser of the request.
        replaced: the refresh tokens that the request sent. Their sessions are revoked, because
            the new cookie overwrites theirs.

    Raises:
        InvalidCredentials: the account was changed while its password was being verified.
    """
    known = tokens.of_this_service(replaced)
    now = clock.now_in_seconds()
    sid, expires_at = uuid7(), now + tokens.ttl
    log_context.bind(session=sid)
    refresh_token = tokens.refresh.issue(sub=user.id, sid=sid, issued_at=now, expires_at=expires_at)
    row = _row(sid, user.id, refresh_token, now, expires_at, client)

    def insert_session(connection: Connection) -> Roles:
        roles = recheck_and_lock(connection, user)
        revoked = revoke_tokens(connection, known)
        connection.execute(insert(RefreshToken), row)
        record(
            connection,
            user_at(client),
            *(Event("session_revoked", owner, old, "replaced") for old, owner in revoked),
            Event("logged_in", user.id, sid),
        )
        return roles

    access_token = tokens.access.issue(
        sub=user.id,
        sid=sid,
        roles=transaction(insert_session),
        auth_time=now,
        session_ends=expires_at,
    )
    return Opened(access_token, refresh_token, int(tokens.ttl.total_seconds()))


def _row(
    sid: UUID,
    user_id: UUID,
    refresh_token: str,
    now: datetime,
    expires_at: datetime,
    client: Client,
) -> dict[str, Any]:
    return {
        "id": sid,
        "user_id": user_id,
        "token_hash": token_hash(refresh_token),
        "issued_at": now,
        "expires_at": expires_at,
        "last_used_at": now,
        "revoked_at": None,
        "user_agent": client.user_agent,
        "ip_address": client.ip_address,
    }
