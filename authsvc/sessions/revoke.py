"""Ending sessions: those of some tokens, all of one user's, or everybody's."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from authsvc import clock
from authsvc.audit.record import Event, record
from authsvc.database import writing
from authsvc.database.compiled import Query
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.refresh import RefreshClaims

PAGE = 1000
"""Rows in one transaction where all sessions are ended."""


class Ended(NamedTuple):
    """A session that has just ended, and whose it was."""

    sid: UUID
    user_id: UUID | None


def revoke_tokens(connection: Connection, refresh_tokens: list[RefreshClaims]) -> list[Ended]:
    """End their sessions; gives each that was not ended before."""
    now = clock.now()
    return [
        ended
        for token in refresh_tokens
        for ended in _REVOKE.all(connection, sid=token.claims.sid, hash=token.token_hash, now=now)
    ]


_REVOKE = Query(
    update(RefreshToken)
    .where(
        RefreshToken.id == bindparam("sid"),
        RefreshToken.token_hash == bindparam("hash"),
        RefreshToken.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
    .returning(RefreshToken.id, RefreshToken.user_id),
    Ended,
)


def revoke_all(connection: Connection, user_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of the user, but perhaps one."""
    now = clock.now()
    ended = connection.execute(
        update(RefreshToken)
        .where(
            RefreshToken.user_id == user_id,
            RefreshToken.revoked_at.is_(None),
            RefreshToken.id != but,  # where that is None: IS NOT NULL, as each is
        )
        .values(revoked_at=now)
        .returning(RefreshToken.id, RefreshToken.expires_at)
    )
    # One that had run out is told to the workers, whose clocks differ, but did not end early.
    lived = [sid for sid, expires_at in ended if expires_at > now]
    record(connection, *(Event("session_revoked", user_id, sid) for sid in lived))


def revoke_everybodys() -> Iterator[int]:
    """End every session of all users, page by page; gives the number ended with each page.

    It walks along the ids, so that no transaction is long and none looks at a row twice.
    """
    last = UUID(int=0)
    while True:
        with writing() as connection:
            ids = (
                connection.execute(
                    select(RefreshToken.id)
                    .where(RefreshToken.id > last)
                    .order_by(RefreshToken.id)
                    .limit(PAGE)
                )
                .scalars()
                .all()
            )
            if not ids:
                return
            ended = connection.execute(
                update(RefreshToken)
                .where(
                    RefreshToken.id.in_(ids),
                    RefreshToken.revoked_at.is_(None),
                    RefreshToken.expires_at > clock.now(),
                )
                .values(revoked_at=clock.now())
                .returning(RefreshToken.id, RefreshToken.user_id)
            ).all()
            record(connection, *(Event("session_revoked", user, sid) for sid, user in ended))
        last = ids[-1]
        yield len(ended)


def make_nameless(connection: Connection, user_id: UUID) -> None:
    """End every session of the user and forget whose they were and where.

    The rows stay until the last access token has expired, so that every worker hears of them.
    """
    connection.execute(
        update(RefreshToken)
        .where(RefreshToken.user_id == user_id)
        .values(
            revoked_at=func.coalesce(RefreshToken.revoked_at, clock.now()),
            user_id=None,
            user_agent=None,
            ip_address=None,
        )
    )
