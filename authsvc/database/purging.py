"""Delete expired rows of a table: one batch after a login, or all of them by a command."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from authsvc.database import reading, transaction

BATCH = 20
"""Rows that one transaction deletes, so that its locks are short. A login adds few rows, so one
batch after a login keeps up, and few logins write for it."""

_log = logging.getLogger(__name__)


class ExpiredRows:
    """The expired rows of one table, deleted a batch at a time.

    Args:
        id: the primary key of the table.
        expired: selects the ids of the rows that expired ``:before`` a time or id, in the order of
            an index.
        at_least: how many must have expired before `remove_a_little` deletes them.
    """

    def __init__(
        self, id: InstrumentedAttribute[UUID], expired: Select[UUID], at_least: int = BATCH
    ) -> None:
        self._table = id.class_.__name__
        self._last_needed = expired.limit(1).offset(at_least - 1)
        self._batch = expired.limit(BATCH).with_for_update(skip_locked=True)
        self._delete = delete(id.class_).where(id.in_(bindparam("ids", expanding=True)))

    def remove_all(self, before: Any) -> Iterator[int]:
        """Delete all expired rows, and yield the number of each batch.

        Any number of processes may do this at once.
        """
        while removed := self._remove(before):
            yield removed

    def remove_a_little(self, before: Any) -> None:
        """Delete one batch if enough have expired. A failure is logged and not raised."""
        try:
            if self._has_enough(before):
                self._remove(before)
        except SQLAlchemyError as error:
            _log.warning("expired rows of %s were not deleted: %s", self._table, error)

    def _has_enough(self, before: Any) -> bool:
        with reading() as connection:
            row = connection.execute(self._last_needed, {"before": before}).first()
        return row is not None

    def _remove(self, before: Any) -> int:
        def remove(connection: Connection) -> int:
            # A SELECT of its own: within the DELETE, a planner may scan the whole table.
            ids = connection.execute(self._batch, {"before": before}).scalars().all()
            connection.execute(self._delete, {"ids": ids})
            return len(ids)

        return transaction(remove)
