"""Rows that are over go from their table: a little at each login, or all by a command."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from authsvc.database import transaction
from authsvc.database.compiled import Query

BATCH = 20
"""Rows in one transaction, so that nobody waits for its locks. A login adds few rows, so a batch at
a login keeps up, and writes at few logins."""

_log = logging.getLogger(__name__)


class ExpiredRows:
    """The rows of one table that are over, removed a batch at a time.

    Args:
        id: the primary key of their table.
        expired: selects the ids of the rows that had expired ``:before`` an instant or id, in
            the order of an index.
    """

    def __init__(self, id: InstrumentedAttribute[UUID], expired: Select[UUID]) -> None:
        self._table = id.class_.__name__
        self._full = Query(expired.limit(1).offset(BATCH - 1), _Id)
        self._next = expired.limit(BATCH).with_for_update(skip_locked=True)
        self._delete = delete(id.class_).where(id.in_(bindparam("ids", expanding=True)))

    def remove_all(self, before: Any) -> Iterator[int]:
        """Remove all rows that are over; gives the number of each batch as it is done.

        Any number of processes may do this at once.
        """
        while removed := self._remove(before):
            yield removed

    def remove_a_little(self, before: Any) -> None:
        """Remove one batch where one is full. Nobody is told when that fails."""
        try:
            if self._full.look_up(before=before) is not None:
                self._remove(before)
        except SQLAlchemyError as error:
            _log.warning("rows of %s that are over were not removed: %s", self._table, error)

    def _remove(self, before: Any) -> int:
        # The look-up is a statement of its own: within the DELETE a planner may scan the table.
        def remove(connection: Connection) -> int:
            ids = connection.execute(self._next, {"before": before}).scalars().all()
            connection.execute(self._delete, {"ids": ids})
            return len(ids)

        return transaction(remove)


class _Id(NamedTuple):
    id: UUID
