"""Open a session, as a login does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from authsvc import clock, signals
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.roles import Roles
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.revoke import Revoked, revoke_tokens
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
        sid: the id of the session.
        access_token: the token that the page keeps in memory.
        refresh_token: the value of the cookie.
        max_age: seconds until the session expires.
    """

    sid: UUID
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
        client: the address and browser of the request, and the key to bind the session to.
        replaced: the refresh tokens that the request sent. Their sessions are revoked, because
            the new cookie overwrites theirs.

    Raises:
        InvalidCredentials: the account was changed while its password was being verified.
        AccessClaimsFailed: the operator's function gave no claims.
    """
    known, own_claims = tokens.of_this_service(replaced), tokens.own_claims.of(user.id)

    def open_after_login(connection: Connection) -> tuple[Opened, list[Revoked]]:
        roles = recheck_and_lock(connection, user)
        now = clock.now()  # after the lock, so that waiting for it takes nothing off the tokens
        revoked = revoke_tokens(connection, known, now)
        opened = insert_session(connection, tokens, user.id, roles, own_claims, client, now)
        record(
            connection,
            user_at(client),
            *(Event("session_revoked", owner, old, "replaced") for old, owner in revoked),
            Event("logged_in", user.id, opened.sid),
            at=now,
        )
        return opened, revoked

    opened, revoked = transaction(open_after_login)
    log_context.bind(session=opened.sid)
    signals.send_ended(revoked, "replaced")
    signals.send(signals.logged_in, user_id=user.id, session_id=opened.sid)
    return opened


def insert_session(
    connection: Connection,
    tokens: SessionTokens,
    user_id: UUID,
    roles: Roles,
    own_claims: str,
    client: Client,
    now: datetime,
) -> Opened:
    """Insert the row of a new session and return its tokens.

    Args:
        connection: of a transaction that has locked the account.
        tokens: issues the two tokens.
        user_id: the user, who has just authenticated.
        roles: the roles of the user.
        own_claims: the operator's own claims of the access token, as JSON.
        client: the address and browser of the request, and the key to bind the session to.
        now: the time of the login, for the row and both tokens.
    """
    sid, issued_at = uuid7(), now.replace(microsecond=0)
    life: dict[str, Any] = {"issued_at": issued_at, "expires_at": issued_at + tokens.ttl}
    refresh_token = tokens.refresh.issue(sub=user_id, sid=sid, **life)
    row = {
        "id": sid,
        "user_id": user_id,
        "token_hash": token_hash(refresh_token),
        **life,
        "last_used_at": issued_at,
        "revoked_at": None,
        "user_agent": client.user_agent,
        "ip_address": client.ip_address,
        "key_thumbprint": client.key,
    }
    connection.execute(insert(RefreshToken), row)
    times = {"auth_time": issued_at, "session_ends": life["expires_at"], "now": issued_at}
    access_token = tokens.access.issue(
        sub=user_id, sid=sid, roles=roles, extra_json=own_claims, **times
    )
    return Opened(sid, access_token, refresh_token, int(tokens.ttl.total_seconds()))
