"""A session as the database has it, found by the id that its refresh token names."""

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from authsvc.database.compiled import Query
from authsvc.problems import (
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenRefused,
    RefreshTokenRevoked,
)
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.refresh import RefreshClaims
from authsvc.users.model import User


class StoredSession(NamedTuple):
    """The row, and what its user's row says; nobody's where the account is deleted."""

    user_id: UUID | None
    token_hash: bytes
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    roles: str | None

    def refusal(
        self, refresh_token: RefreshClaims, now: datetime, idle_ttl: timedelta
    ) -> RefreshTokenRefused | None:
        """Why this refresh token is refused, if it is."""
        claims = refresh_token.claims
        if self.user_id not in (None, claims.sub) or int(self.issued_at.timestamp()) != claims.iat:
            return RefreshTokenInvalid()
        if not hmac.compare_digest(self.token_hash, refresh_token.token_hash):
            return RefreshTokenInvalid()
        if self.revoked_at is not None or self.user_id is None or self.disabled_at is not None:
            return RefreshTokenRevoked()
        if now >= self.expires_at or now - self.last_used_at >= idle_ttl:
            return RefreshTokenExpired()
        return None


def stored_session(sid: UUID) -> StoredSession | None:
    """The session with this id, by one look-up."""
    return _SESSION_AND_USER.look_up(sid=sid)


_SESSION_AND_USER = Query(
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
    StoredSession,
)
