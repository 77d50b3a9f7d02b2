"""Sessions that are long over go from the table: a little at each login, or all by a command.

A revoked session's row stays until the session would have ended anyway. Until its access tokens
have run out every worker must hear of it, and for as long as its cookie may come back the answer
is that the session was ended, not that the cookie is forged. So there is one rule and one index.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.database import reading, writing
from authsvc.sessions.model import RefreshToken

KEPT = timedelta(hours=1)
"""For how long an expired row stays: a clock that is set back must not find it gone."""
BATCH = 20
"""Rows in one transaction, so that nobody waits for its locks. A login adds one row, so a batch at
a login keeps up, and writes at one login in twenty."""

_log = logging.getLogger(__name__)


def purge() -> Iterator[int]:
    """Remove all that is long over; gives the number of rows of each batch as it is done.

    Any number of processes may do this at once.
    """
    while removed := _remove():
        yield removed


def purge_a_little() -> None:
    """Remove one small batch where there is one. Nobody is told when that fails."""
    try:
        with reading() as connection:
            there_is_one = connection.execute(_over(1).offset(BATCH - 1)).first()
        if there_is_one is not None:
            _remove()
    except SQLAlchemyError as error:
        _log.warning("sessions that are over could not be removed: %s", error)


def _remove() -> int:
    # The look-up is a statement of its own: within the DELETE a planner may scan the table.
    with writing() as connection:
        query = _over(BATCH).with_for_update(skip_locked=True)
        over = connection.execute(query).scalars().all()
        connection.execute(delete(RefreshToken).where(RefreshToken.id.in_(over)))
    return len(over)


def _over(limit: int) -> Select[UUID]:
    return (
        select(RefreshToken.id)
        .where(RefreshToken.expires_at < clock.now() - KEPT)
        .order_by(RefreshToken.expires_at)
        .limit(limit)
    )
