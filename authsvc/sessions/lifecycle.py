"""A session's life: opened by a login, resumed by its refresh token, revoked."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.audit.record import Event, record, record_refusal
from authsvc.database import writing
from authsvc.facts import note
from authsvc.lookup import Lookup
from authsvc.problems import (
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenRefused,
    RefreshTokenRevoked,
)
from authsvc.roles import parse
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.revoke import revoke_tokens
from authsvc.tokens.access import AccessToken, AccessTokens
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.tokens.refresh import RefreshClaims, RefreshTokens, token_hash
from authsvc.users.authentication import Authenticated, roles_of
from authsvc.users.model import User

MAX_NOTE_EVERY = timedelta(hours=1)
"""How often, at most, a session's row is told that it was used: a refresh is mostly a read."""


@dataclass(frozen=True)
class Device:
    """Where a session was opened, so that a person can tell their sessions apart."""

    user_agent: str | None
    ip_address: str | None


@dataclass(frozen=True)
class Opened:
    """What a login gives.

    Args:
        access_token: for the page.
        refresh_token: the text for the cookie.
        lives: the seconds that the session lives.
    """

    access_token: AccessToken
    refresh_token: str
    lives: int


@dataclass(frozen=True)
class Sessions:
    """The sessions of all users.

    Args:
        access_tokens, refresh_tokens: what issues and verifies the two tokens.
        ttl: how long a session lives; nothing extends it.
        idle_ttl: how long it may go unused.
    """

    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    ttl: timedelta
    idle_ttl: timedelta

    def open(self, user: Authenticated, device: Device, replaced: list[str]) -> Opened:
        """Open a session, always a new one.

        Args:
            user: who has just given the right password.
            device: where.
            replaced: refresh tokens that came along; the new one takes the place of the
                cookie that held them, so their sessions end.

        Raises:
            InvalidCredentials: the account was changed while its password was being hashed.
        """
        known = self._known(replaced)
        now = clock.now_in_seconds()
        sid, expires_at = uuid7(), now + self.ttl
        note(session=sid)
        refresh_token = self.refresh_tokens.issue(
            sub=user.id, sid=sid, issued_at=now, expires_at=expires_at
        )
        row = {
            "id": sid,
            "user_id": user.id,
            "token_hash": token_hash(refresh_token),
            "issued_at": now,
            "expires_at": expires_at,
            "last_used_at": now,
            "user_agent": device.user_agent,
            "ip_address": device.ip_address,
        }
        with writing() as connection:
            roles = roles_of(connection, user)
            ended = revoke_tokens(connection, known)
            connection.execute(_OPEN, row)
            record(
                connection,
                *(Event("session_revoked", owner, old, "replaced") for old, owner in ended),
                Event("logged_in", user.id, sid),
            )
        access_token = self.access_tokens.issue(
            sub=user.id, sid=sid, roles=roles, auth_time=now, session_ends=expires_at
        )
        return Opened(access_token, refresh_token, int(self.ttl.total_seconds()))

    def verify(self, refresh_token: str) -> RefreshClaims:
        """What a refresh token says; whether its session is live is not asked yet.

        Raises:
            RefreshTokenExpired: its time is over.
            RefreshTokenInvalid: it is not one of ours.
        """
        try:
            verified = self.refresh_tokens.verify(refresh_token)
        except TokenExpired:
            raise RefreshTokenExpired from None
        except TokenInvalid:
            raise RefreshTokenInvalid from None
        note(user=verified.claims.sub, session=verified.claims.sid)
        return verified

    def resume(self, refresh_token: RefreshClaims) -> AccessToken:
        """An access token for a live session: one look-up, and nothing about it is extended.

        Raises:
            RefreshTokenRevoked, RefreshTokenExpired, RefreshTokenInvalid: it is not live.
        """
        claims = refresh_token.claims
        row = _SESSION_AND_USER.one_or_none(sid=claims.sid)
        if row is None:
            raise RefreshTokenInvalid
        now = clock.now()
        refusal = self._refusal(row, refresh_token, now)
        if refusal is not None:
            if row.user_id is not None:
                event = Event("refresh_refused", row.user_id, claims.sid, refusal.code)
                record_refusal(event)
            raise refusal
        if now - row.last_used_at >= self._note_every:
            _note_use(claims.sid, now)
        return self.access_tokens.issue(
            sub=claims.sub,
            sid=claims.sid,
            roles=parse(row.roles or ""),
            auth_time=row.issued_at,
            session_ends=row.expires_at,
        )

    def end(self, refresh_tokens: list[str]) -> None:
        """End the sessions of these refresh tokens, durably; other texts are passed over."""
        known = self._known(refresh_tokens)
        for token in known:
            note(user=token.claims.sub, session=token.claims.sid)
        if known:
            with writing() as connection:
                ended = revoke_tokens(connection, known)
                record(connection, *(Event("logged_out", owner, sid) for sid, owner in ended))

    def _refusal(
        self, row: "_SessionAndUser", refresh_token: RefreshClaims, now: datetime
    ) -> RefreshTokenRefused | None:
        claims = refresh_token.claims
        if row.user_id not in (None, claims.sub) or int(row.issued_at.timestamp()) != claims.iat:
            return RefreshTokenInvalid()
        if not hmac.compare_digest(row.token_hash, refresh_token.token_hash):
            return RefreshTokenInvalid()
        if row.revoked_at is not None or row.user_id is None or row.disabled_at is not None:
            return RefreshTokenRevoked()
        if now >= row.expires_at or now - row.last_used_at >= self.idle_ttl:
            return RefreshTokenExpired()
        return None

    @property
    def _note_every(self) -> timedelta:
        return min(MAX_NOTE_EVERY, self.idle_ttl / 24)

    def _known(self, refresh_tokens: list[str]) -> list[RefreshClaims]:
        known = []
        for refresh_token in refresh_tokens:
            try:
                known.append(self.refresh_tokens.verify(refresh_token, even_expired=True))
            except TokenInvalid:
                continue
        return known


_OPEN = insert(RefreshToken)


class _SessionAndUser(NamedTuple):
    user_id: UUID | None
    token_hash: bytes
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    roles: str | None


_SESSION_AND_USER = Lookup(
    select(
        RefreshToken.user_id,
        RefreshToken.token_hash,
        RefreshToken.issued_at,
        RefreshToken.expires_at,
        RefreshToken.last_used_at,
        RefreshToken.revoked_at,
        User.disabled_at,
        User.roles,
    )
    .outerjoin(User, User.id == RefreshToken.user_id)
    .where(RefreshToken.id == bindparam("sid")),
    _SessionAndUser,
)


def _note_use(sid: UUID, now: datetime) -> None:
    with writing() as connection:
        connection.execute(
            update(RefreshToken)
            .where(RefreshToken.id == sid, RefreshToken.last_used_at < now)
            .values(last_used_at=now)
        )
