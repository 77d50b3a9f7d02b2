"""Authenticate the user of a live session again, for a sensitive change (RFC 9470)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.problems import RefreshTokenRevoked
from authsvc.sessions.lookup import lock_in_force
from authsvc.sessions.model import RefreshToken
from authsvc.tokens import amr
from authsvc.tokens.amr import Amr, combined
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web.client import Client


@dataclass(frozen=True)
class Reauthentication:
    """A session whose user has just authenticated again.

    Args:
        amr: every way in which the user has authenticated for this session.
        at: when.
    """

    amr: Amr
    at: datetime


def reauthenticate(
    refresh_token: RefreshClaims,
    authenticate: Callable[[Connection, datetime], Amr],
    client: Client,
) -> Reauthentication:
    """Store in the session's row that its user authenticated now. Its expiry does not move.

    Args:
        refresh_token: of a session that was live a moment ago.
        authenticate: called in the transaction, which has locked the account. It uses what counts
            once, and returns the methods; what it raises changes nothing.
        client: where the request came from.

    Raises:
        RefreshTokenRevoked: the session has ended meanwhile.
    """
    claims = refresh_token.claims

    def store(connection: Connection) -> Reauthentication:
        session = lock_in_force(connection, claims.sid, claims.sub)
        if session is None:
            raise RefreshTokenRevoked
        now = clock.now()
        given = authenticate(connection, now)
        methods = combined(session.amr, given)
        _update(connection, claims.sid, amr=amr.join(methods), authenticated_at=now)
        event = Event("reauthenticated", claims.sub, claims.sid, amr.join(given))
        record(connection, user_at(client), event, at=now)
        return Reauthentication(methods, now)

    return transaction(store)


def add_methods(connection: Connection, sid: UUID, before: Amr, given: Amr) -> None:
    """Add the methods of a factor that the person has just set up in this session.

    Args:
        connection: in a transaction that has locked the account.
        sid: the session.
        before: how its user authenticated until now.
        given: the methods of the factor.
    """
    _update(connection, sid, amr=amr.join(combined(before, given)))


def _update(connection: Connection, sid: UUID, **values: Any) -> None:
    connection.execute(update(RefreshToken).where(RefreshToken.id == sid).values(values))
