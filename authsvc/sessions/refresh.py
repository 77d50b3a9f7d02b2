"""Refresh a session: issue another access token. Nothing about the session is extended."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from authsvc import clock
from authsvc.audit.record import Event, record_refusal, user_at
from authsvc.database import transaction
from authsvc.problems import RefreshTokenInvalid
from authsvc.roles import parse
from authsvc.sessions.lookup import find_session
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.access import AccessToken
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web.client import Client

MAX_USE_INTERVAL = timedelta(hours=1)
"""How old `last_used_at` may be before a refresh updates it. Most refreshes write nothing."""


def refresh_session(
    tokens: SessionTokens, refresh_token: RefreshClaims, client: Client
) -> AccessToken:
    """Return an access token for the session of a refresh token. It costs one SELECT.

    Args:
        tokens: issues the access token.
        refresh_token: a verified refresh token.
        client: the address and browser of the request, for the audit trail.

    Raises:
        RefreshTokenRevoked, RefreshTokenExpired, RefreshTokenInvalid: the session is not live.
        AccessClaimsFailed: the operator's function gave no claims.
    """
    claims = refresh_token.claims
    session = find_session(claims.sid)
    if session is None:
        raise RefreshTokenInvalid
    now = clock.now()
    refusal = session.refusal(refresh_token, now, tokens.idle_ttl)
    if refusal is not None:
        if session.user_id is not None:
            event = Event("refresh_refused", session.user_id, claims.sid, refusal.code)
            record_refusal(user_at(client), event, now)
        raise refusal
    access_token = tokens.access.issue(
        sub=claims.sub,
        sid=claims.sid,
        roles=parse(session.roles or ""),
        extra_json=tokens.own_claims.of(claims.sub),
        auth_time=session.issued_at,
        session_ends=session.expires_at,
        now=now,
    )
    if now - session.last_used_at >= min(MAX_USE_INTERVAL, tokens.idle_ttl / 24):
        _update_last_used(claims.sid, now)
    return access_token


def _update_last_used(sid: UUID, now: datetime) -> None:
    def touch(connection: Connection) -> None:
        connection.execute(
            update(RefreshToken)
            .where(RefreshToken.id == sid, RefreshToken.last_used_at < now)
            .values(last_used_at=now)
        )

    transaction(touch)
