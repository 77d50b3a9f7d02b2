"""Open a session, as a login does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from authsvc import signals
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.roles import Roles
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.revoke import Revoked, revoke_tokens
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens import amr
from authsvc.tokens.access import AccessToken
from authsvc.tokens.amr import PASSWORD, Amr
from authsvc.tokens.jws import token_hash
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


@dataclass(frozen=True)
class Authentication:
    """The end of an authentication, in the transaction that opens the session.

    Args:
        roles: the roles of the user.
        amr: how the user authenticated.
        at: when, which is the time of the login for the row and both tokens.
    """

    roles: Roles
    amr: Amr
    at: datetime


def open_session(
    tokens: SessionTokens,
    user_id: UUID,
    authenticate: Callable[[Connection], Authentication],
    client: Client,
    replaced: list[str],
) -> Opened:
    """Open a new session for the user and return its tokens.

    Args:
        tokens: issues the two tokens.
        user_id: the user.
        authenticate: called in the transaction. It locks the account, checks again what was
            verified before, and uses what counts once; what it raises opens nothing.
        client: the address and browser of the request, and the key to bind the session to.
        replaced: the refresh tokens that the request sent. Their sessions are revoked, because
            the new cookie overwrites theirs.

    Raises:
        AccessClaimsFailed: the operator's function gave no claims.
    """
    known, own_claims = tokens.of_this_service(replaced), tokens.own_claims.of(user_id)

    def open_after_login(connection: Connection) -> tuple[Opened, list[Revoked]]:
        authentication = authenticate(connection)
        now = authentication.at
        revoked = revoke_tokens(connection, known, now)
        opened = insert_session(connection, tokens, user_id, authentication, own_claims, client)
        replacing = [Event("session_revoked", owner, old, "replaced") for old, owner in revoked]
        logged_in = Event("logged_in", user_id, opened.sid, _detail(authentication.amr))
        record(connection, user_at(client), *replacing, logged_in, at=now)
        return opened, revoked

    opened, revoked = transaction(open_after_login)
    log_context.bind(session=opened.sid)
    signals.send_ended(revoked, "replaced")
    signals.send(signals.logged_in, user_id=user_id, session_id=opened.sid)
    return opened


def insert_session(
    connection: Connection,
    tokens: SessionTokens,
    user_id: UUID,
    authentication: Authentication,
    own_claims: str,
    client: Client,
) -> Opened:
    """Insert the row of a new session and return its tokens.

    Args:
        connection: of a transaction that has locked the account.
        tokens: issues the two tokens.
        user_id: the user.
        authentication: how and when the user authenticated.
        own_claims: the operator's own claims of the access token, as JSON.
        client: the address and browser of the request, and the key to bind the session to.
    """
    sid, issued_at = uuid7(), authentication.at.replace(microsecond=0)
    life: dict[str, Any] = {"issued_at": issued_at, "expires_at": issued_at + tokens.ttl}
    refresh_token = tokens.refresh.issue(sub=user_id, sid=sid, **life)
    ids = {"id": sid, "user_id": user_id, "token_hash": token_hash(refresh_token)}
    how = {"amr": amr.join(authentication.amr), "authenticated_at": issued_at}
    row = {**ids, **life, "last_used_at": issued_at, **how, **_columns(client)}
    connection.execute(insert(RefreshToken), row)
    access_token = tokens.access.issue(
        sub=user_id,
        sid=sid,
        amr=authentication.amr,
        roles=authentication.roles,
        extra_json=own_claims,
        auth_time=issued_at,
        session_ends=life["expires_at"],
        now=issued_at,
    )
    return Opened(sid, access_token, refresh_token, int(tokens.ttl.total_seconds()))


def _columns(client: Client) -> dict[str, Any]:
    """Return what a session's row has of the request that opened it."""
    return {
        "user_agent": client.user_agent,
        "ip_address": client.ip_address,
        "key_thumbprint": client.key,
    }


def _detail(methods: Amr) -> str | None:
    """Return what the event says about the login: its methods, unless it was a password alone."""
    return None if methods == PASSWORD else amr.join(methods)
