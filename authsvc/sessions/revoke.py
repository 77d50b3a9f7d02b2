"""Ending many sessions at once: all of one user's, or everybody's."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, and_, select, update

from authsvc import clock
from authsvc.database import writing
from authsvc.sessions.model import RefreshToken

PAGE = 1000
"""Rows in one transaction where all sessions are ended."""


def revoke_all(connection: Connection, user_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of the user, but perhaps one."""
    theirs = and_(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
    others = theirs if but is None else and_(theirs, RefreshToken.id != but)
    connection.execute(update(RefreshToken).where(others).values(revoked_at=clock.now()))


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
                .returning(RefreshToken.id)
            ).all()
        last = ids[-1]
        yield len(ended)


def make_nameless(connection: Connection, user_id: UUID) -> None:
    """End every session of the user and forget whose they were and where.

    The rows stay until the last access token has expired, so that every worker hears of them.
    """
    revoke_all(connection, user_id)
    connection.execute(
        update(RefreshToken)
        .where(RefreshToken.user_id == user_id)
        .values(user_id=None, user_agent=None, ip_address=None)
    )
