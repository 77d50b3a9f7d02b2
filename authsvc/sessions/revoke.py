"""Revoke sessions: by refresh token, by id, all of one user, or all of all users."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from authsvc import clock, signals
from authsvc.audit.record import Actor, Event, record
from authsvc.database import transaction
from authsvc.database.compiled import Query
from authsvc.mail.outbox import Outbox
from authsvc.problems import NotFound
from authsvc.sessions.model import RefreshToken, is_live
from authsvc.tokens.refresh import RefreshClaims
from authsvc.users import accounts
from authsvc.users.model import User
from authsvc.users.voided_links import void_change

PAGE = 1000
"""Rows per transaction when the sessions of all users are revoked."""


class Revoked(NamedTuple):
    """A session that was just revoked, and its user; None if the user is gone."""

    sid: UUID
    user_id: UUID | None


# None if an operator deleted the user by SQL, which left the session behind.
_OWNER = select(User.id).where(User.id == RefreshToken.user_id).scalar_subquery()


def revoke_tokens(
    connection: Connection, refresh_tokens: list[RefreshClaims], now: datetime
) -> list[Revoked]:
    """Revoke the sessions of these tokens and return those that this call revoked."""
    return [
        revoked
        for token in refresh_tokens
        for revoked in _REVOKE.all(connection, sid=token.claims.sid, hash=token.token_hash, now=now)
    ]


_REVOKE = Query(
    update(RefreshToken)
    .where(
        RefreshToken.id == bindparam("sid"),
        RefreshToken.token_hash == bindparam("hash"),
        RefreshToken.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
    .returning(RefreshToken.id, _OWNER),
    Revoked,
)


def revoke_one(user_id: UUID, sid: UUID, idle_ttl: timedelta, actor: Actor) -> None:
    """Revoke one live session of the user.

    Raises:
        NotFound: the user does not have such a live session.
    """

    def revoke(connection: Connection) -> None:
        now = clock.now()
        revoked = connection.execute(
            update(RefreshToken)
            .where(
                RefreshToken.id == sid,
                RefreshToken.user_id == user_id,
                is_live(now, idle_ttl),
            )
            .values(revoked_at=now)
            .returning(RefreshToken.id)
        )
        if revoked.one_or_none() is None:
            raise NotFound("There is no such live session.")
        record(connection, actor, Event("session_revoked", user_id, sid), at=now)

    transaction(revoke)
    signals.send_ended([(sid, user_id)], "revoked")


def revoke_all(user_id: UUID, actor: Actor, outbox: Outbox) -> int:
    """Revoke every session of the user, and return how many had not expired.

    Where mail is configured, a link to another address is void: a thief who asked for it must
    not get the account after all.
    """

    def revoke(connection: Connection) -> list[Revoked]:
        if outbox.is_on:
            accounts.lock(connection, user_id)  # so that no session asks for a link meanwhile
            void_change(connection, user_id)
        return revoke_and_record(connection, user_id, actor)

    revoked = transaction(revoke)
    signals.send_ended(revoked, "revoked")
    return len(revoked)


def revoke_and_record(connection: Connection, user_id: UUID, actor: Actor) -> list[Revoked]:
    """Revoke every session of the user, record it, and return those that had not expired."""
    now = clock.now()
    revoked = revoke_sessions(connection, user_id, now)
    record(connection, actor, *(Event("session_revoked", user_id, sid) for sid in revoked), at=now)
    return [Revoked(sid, user_id) for sid in revoked]


def revoke_sessions(connection: Connection, user_id: UUID, now: datetime) -> list[UUID]:
    """Revoke every session of the user, and return the ids of those that had not expired."""
    rows = connection.execute(
        update(RefreshToken)
        .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(RefreshToken.id, RefreshToken.expires_at)
    )
    # Expired sessions are marked too, because the workers' clocks differ.
    return [sid for sid, expires_at in rows if expires_at > now]


def revoke_all_users(actor: Actor) -> Iterator[int]:
    """Revoke every session of all users, page by page, and yield the number revoked per page.

    Pages are ordered by id, so transactions stay short and no row is read twice.
    """
    last = UUID(int=0)
    while page := transaction(partial(_revoke_page, last, actor)):
        last, revoked = page
        signals.send_ended(revoked, "revoked")
        yield len(revoked)


def _revoke_page(
    after: UUID, actor: Actor, connection: Connection
) -> tuple[UUID, list[Revoked]] | None:
    """Revoke the sessions of one page, and return its last id and those that it revoked."""
    ids = (
        connection.execute(
            select(RefreshToken.id)
            .where(RefreshToken.id > after)
            .order_by(RefreshToken.id)
            .limit(PAGE)
        )
        .scalars()
        .all()
    )
    if not ids:
        return None
    now = clock.now()
    rows = connection.execute(
        update(RefreshToken)
        .where(
            RefreshToken.id.in_(ids),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .values(revoked_at=now)
        .returning(RefreshToken.id, _OWNER)
    )
    revoked = [Revoked(*row) for row in rows]
    events = (Event("session_revoked", user, sid) for sid, user in revoked)
    record(connection, actor, *events, at=now)
    return ids[-1], revoked


def anonymize(connection: Connection, user_id: UUID, now: datetime) -> list[Revoked]:
    """Revoke every session of the user, and erase the user, address and browser from its row.

    The rows stay until the last access token has expired, so that every worker reads them. Return
    the sessions that had not expired.
    """
    revoked = revoke_sessions(connection, user_id, now)
    connection.execute(
        update(RefreshToken)
        .where(RefreshToken.user_id == user_id)
        .values(user_id=None, user_agent=None, ip_address=None)
    )
    return [Revoked(sid, user_id) for sid in revoked]
