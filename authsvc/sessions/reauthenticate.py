"""Authenticate the user of a live session again, for a sensitive change (RFC 9470)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from authsvc import clock
from authsvc.audit.record import Event, failures_logged, record, user_at
from authsvc.database import transaction
from authsvc.factors.refused import FactorRefused
from authsvc.problems import (
    InvalidCredentials,
    RefreshTokenExpired,
    RefreshTokenRevoked,
    WrongPassword,
)
from authsvc.roles import parse
from authsvc.sessions.confirming import Authenticate
from authsvc.sessions.lookup import FoundSession, lock_in_force
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens import amr
from authsvc.tokens.access import AccessToken
from authsvc.tokens.amr import PASSWORD, Amr, combined
from authsvc.tokens.claims import Claims
from authsvc.web.client import Client


def reauthenticate(
    tokens: SessionTokens,
    refresh_token: Claims,
    session: FoundSession,
    authenticate: Authenticate,
    client: Client,
) -> AccessToken:
    """Store that the session's user authenticated now, and return an access token that says so.

    The session's expiry does not move. Its methods are those of before and those of now, or the
    password alone if that was enough.

    Args:
        tokens: issues the access token.
        refresh_token: the claims of the refresh token.
        session: which was live a moment ago.
        authenticate: uses what counts once, in the transaction; what it raises changes nothing.
        client: where the request came from.

    Raises:
        RefreshTokenRevoked, RefreshTokenExpired: the session has ended meanwhile.
        AccessClaimsFailed: the operator's function gave no claims.
    """
    user_id, ends = refresh_token.sub, session.expires_at
    own_claims = tokens.own_claims.of(user_id)  # before a code is used, because it may fail
    methods, at = transaction(
        lambda connection: _store(connection, refresh_token, ends, authenticate, client)
    )
    return tokens.access.issue(
        sub=user_id,
        sid=refresh_token.sid,
        amr=methods,
        roles=parse(session.roles or ""),
        extra_json=own_claims,
        auth_time=at,
        session_ends=ends,
        now=at,
    )


def _store(
    connection: Connection,
    refresh_token: Claims,
    session_ends: datetime,
    authenticate: Authenticate,
    client: Client,
) -> tuple[Amr, datetime]:
    """Store how the user authenticates, and return all methods of the session, and our time."""
    sid, user_id = refresh_token.sid, refresh_token.sub
    session = lock_in_force(connection, sid, user_id)
    now = clock.now()  # after the lock, so that waiting for it takes nothing off the token
    if session is None:
        raise RefreshTokenRevoked
    if now >= session_ends:
        raise RefreshTokenExpired
    given = authenticate(connection, now)
    # The password is enough only without a second factor: one that was removed counts no more.
    methods = PASSWORD if given == PASSWORD else combined(session.amr, given)
    at = now.replace(microsecond=0)
    if not _update(connection, sid, amr=amr.join(methods), authenticated_at=at):
        raise RefreshTokenRevoked
    event = Event("reauthenticated", user_id, sid, amr.join(given))
    record(connection, user_at(client), event, at=now)
    return methods, at


@contextmanager
def refusal_recorded(refresh_token: Claims, client: Client) -> Iterator[None]:
    """Record each refusal within the block. The client learns only that something is wrong.

    A limit must enclose it, since each refusal is a row of the audit trail.

    Raises:
        InvalidCredentials: the password, the code or the passkey is wrong.
    """
    try:
        yield
    except (FactorRefused, WrongPassword) as refused:
        why = refused.why if isinstance(refused, FactorRefused) else refused.code
        event = Event("reauthentication_refused", refresh_token.sub, refresh_token.sid, why)
        with failures_logged(event):
            transaction(lambda connection: record(connection, user_at(client), event))
        raise InvalidCredentials from None


def add_methods(connection: Connection, sid: UUID, before: Amr, given: Amr) -> None:
    """Add the methods of a factor that the person has just set up in this session.

    Args:
        connection: in a transaction that has locked the account.
        sid: the session.
        before: how its user authenticated until now.
        given: the methods of the factor.
    """
    _update(connection, sid, amr=amr.join(combined(before, given)))


def _update(connection: Connection, sid: UUID, **values: Any) -> bool:
    """Update the session, and return whether it was not revoked meanwhile."""
    updated = connection.execute(
        update(RefreshToken)
        .where(RefreshToken.id == sid, RefreshToken.revoked_at.is_(None))
        .values(values)
        .returning(RefreshToken.id)
    )
    return updated.one_or_none() is not None
