"""A session's life: opened by a login, resumed by its refresh token, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, update
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.audit.record import Event, record, record_refusal
from authsvc.database import writing
from authsvc.database.compiled import Command
from authsvc.problems import RefreshTokenExpired, RefreshTokenInvalid
from authsvc.roles import parse
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.revoke import revoke_tokens
from authsvc.sessions.stored import stored_session
from authsvc.tokens.access import AccessToken, AccessTokens
from authsvc.tokens.jws import TokenExpired, TokenInvalid, token_hash
from authsvc.tokens.refresh import RefreshClaims, RefreshTokens
from authsvc.users.authentication import Authenticated, roles_of
from authsvc.web.log_context import note

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
            "revoked_at": None,
            "user_agent": device.user_agent,
            "ip_address": device.ip_address,
        }
        with writing() as connection:
            roles = roles_of(connection, user)
            ended = revoke_tokens(connection, known)
            _OPEN.run(connection, **row)
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
        session = stored_session(claims.sid)
        if session is None:
            raise RefreshTokenInvalid
        now = clock.now()
        refusal = session.refusal(refresh_token, now, self.idle_ttl)
        if refusal is not None:
            if session.user_id is not None:
                event = Event("refresh_refused", session.user_id, claims.sid, refusal.code)
                record_refusal(event)
            raise refusal
        if now - session.last_used_at >= self._note_every:
            _note_use(claims.sid, now)
        return self.access_tokens.issue(
            sub=claims.sub,
            sid=claims.sid,
            roles=parse(session.roles or ""),
            auth_time=session.issued_at,
            session_ends=session.expires_at,
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


_OPEN = Command(insert(RefreshToken))


def _note_use(sid: UUID, now: datetime) -> None:
    with writing() as connection:
        connection.execute(
            update(RefreshToken)
            .where(RefreshToken.id == sid, RefreshToken.last_used_at < now)
            .values(last_used_at=now)
        )
