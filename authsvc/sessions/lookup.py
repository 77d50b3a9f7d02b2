"""Look up a session by its id, joined with its user."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from authsvc import clock
from authsvc.database import reading
from authsvc.database.compiled import Query
from authsvc.guard.proof_header import SentProof
from authsvc.problems import (
    ProofRefused,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenRefused,
    RefreshTokenRevoked,
)
from authsvc.sessions.binding import Binding
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.amr import Amr, parse
from authsvc.tokens.refresh import RefreshClaims
from authsvc.users import accounts
from authsvc.users.model import User


class FoundSession(NamedTuple):
    """A session's row joined with its user's; the user's columns are None if the user is gone.

    An operator who deletes a user by SQL may leave the session's row behind, with the id of a user
    that does not exist. So `user_id` is the column of the user.
    """

    user_id: UUID | None
    token_hash: bytes
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime
    revoked_at: datetime | None
    disabled_at: datetime | None
    roles: str | None
    key_thumbprint: str | None
    device_key: str | None
    amr: str
    authenticated_at: datetime | None

    @property
    def auth_time(self) -> datetime:
        """When the user last authenticated."""
        return self.authenticated_at or self.issued_at

    def refusal(
        self, refresh_token: RefreshClaims, now: datetime, idle_ttl: timedelta
    ) -> RefreshTokenRefused | None:
        """Return the problem that refuses this refresh token, or None if the session is live."""
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


def find_session(sid: UUID) -> FoundSession | None:
    """Return the session with this id, by one SELECT, or None if it does not exist."""
    return _SESSION_AND_USER.look_up(sid=sid)


_SESSION_AND_USER = Query(
    select(
        User.id,
        RefreshToken.token_hash,
        RefreshToken.issued_at,
        RefreshToken.expires_at,
        RefreshToken.last_used_at,
        RefreshToken.revoked_at,
        User.disabled_at,
        User.roles,
        RefreshToken.key_thumbprint,
        RefreshToken.device_key,
        RefreshToken.amr,
        RefreshToken.authenticated_at,
    )
    .outerjoin(User, User.id == RefreshToken.user_id)
    .where(RefreshToken.id == bindparam("sid")),
    FoundSession,
)


def live_owner(
    refresh_token: RefreshClaims, idle_ttl: timedelta, binding: Binding, proof: SentProof | None
) -> UUID | None:
    """Return the user whose live session this refresh token is of, or None.

    Args:
        refresh_token: a verified refresh token.
        idle_ttl: how long a session may go unused.
        binding: checks the proof.
        proof: what came with the request; a bound session counts only with a proof of its key.
    """
    now, session = clock.now(), find_session(refresh_token.claims.sid)
    if session is None or session.refusal(refresh_token, now, idle_ttl) is not None:
        return None
    if session.key_thumbprint is not None:
        try:
            binding.demand(session.key_thumbprint, proof, now)
        except ProofRefused:
            return None
    return session.user_id


@dataclass(frozen=True)
class InForce:
    """A session that is not revoked, of a user who is not disabled.

    Args:
        amr: how the user authenticated.
        auth_time: when the user last authenticated.
    """

    amr: Amr
    auth_time: datetime


def is_in_force(sid: UUID, user_id: UUID) -> bool:
    """Return whether the user has this session, not revoked, and is not disabled."""
    with reading() as connection:
        return _in_force(connection, sid, user_id) is not None


def lock_in_force(connection: Connection, sid: UUID, user_id: UUID) -> InForce | None:
    """Lock the account until the commit, and return the user's session if it is in force.

    A new password or a new address locks the account too, so it comes before or after this
    transaction as a whole. A worker may accept the session's access token a second longer.
    """
    accounts.lock(connection, user_id)
    return _in_force(connection, sid, user_id)


def _in_force(connection: Connection, sid: UUID, user_id: UUID) -> InForce | None:
    found = connection.execute(
        select(
            RefreshToken.amr, func.coalesce(RefreshToken.authenticated_at, RefreshToken.issued_at)
        )
        .join(User)
        .where(
            RefreshToken.id == sid,
            RefreshToken.user_id == user_id,
            RefreshToken.revoked_at.is_(None),
            User.disabled_at.is_(None),
        )
    )
    row = found.one_or_none()
    return None if row is None else InForce(parse(row[0]), row[1])
