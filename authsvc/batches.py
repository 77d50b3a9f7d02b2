"""Rows that are over go from their table: a little at each login, or all by a command."""

import logging
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Select, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from authsvc.database import reading, writing

BATCH = 20
"""Rows in one transaction, so that nobody waits for its locks. A login adds few rows, so a batch at
a login keeps up, and writes at few logins."""

_log = logging.getLogger(__name__)


def remove_all(id: InstrumentedAttribute[UUID], over: Select[UUID]) -> Iterator[int]:
    """Remove all rows that are over; gives the number of each batch as it is done.

    Any number of processes may do this at once.

    Args:
        id: the primary key of their table.
        over: the ids of the rows that are over, in the order of an index.
    """
    while removed := _remove(id, over):
        yield removed


def remove_a_little(id: InstrumentedAttribute[UUID], over: Select[UUID]) -> None:
    """Remove one small batch where there is one. Nobody is told when that fails."""
    try:
        with reading() as connection:
            there_is_one = connection.execute(over.limit(1).offset(BATCH - 1)).first()
        if there_is_one is not None:
            _remove(id, over)
    except SQLAlchemyError as error:
        _log.warning("rows of %s that are over were not removed: %s", id.class_.__name__, error)


def _remove(id: InstrumentedAttribute[UUID], over: Select[UUID]) -> int:
    # The look-up is a statement of its own: within the DELETE a planner may scan the table.
    with writing() as connection:
        query = over.limit(BATCH).with_for_update(skip_locked=True)
        ids = connection.execute(query).scalars().all()
        connection.execute(delete(id.class_).where(id.in_(ids)))
    return len(ids)
