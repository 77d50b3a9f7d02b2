"""A connection pool that keeps a thread free while the database is stuck or silent."""

import logging
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import QueuePool
from sqlalchemy.exc import TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

# SQLAlchemy logs each replaced connection at INFO, under the name of the pool's class.
logging.getLogger(__name__).setLevel(logging.WARNING)

CONNECTIONS = 3
"""Fewer than the threads of a gunicorn worker (authsvc/gunicorn.py): while all connections wait for
the database, threads are left for the requests that need no database. On two workers, 3, 5 and 8
connections refreshed 1139, 1190 and 1081 sessions a second. With commits that take 5 ms, 395, 407
and 585 were logged out: more connections pay only for more logouts than that."""
OWN_CONNECTIONS = 5
"""Of the pool for an operator's own tables, which is empty without such tables."""
STUCK_SECONDS = 1.0
"""For how long a thread waits for a connection of ours while none is checked out or returned. Each
is used for a few statements; an operator's view may use one for its whole request."""
WAIT_SECONDS = 4.0
"""For how long a thread waits for a connection in all."""
PROBE_SECONDS = 2.0
"""How often one thread may try a database that is silent."""


class Silence:
    """Whether the database is silent: it did not answer in time, and has not answered since."""

    def __init__(self) -> None:
        self._silent = False
        self._next_probe = 0.0
        self._lock = Lock()

    def begin(self) -> None:
        """Note that the database did not answer in time."""
        with self._lock:
            self._silent = True
            self._next_probe = monotonic() + PROBE_SECONDS

    def end(self) -> None:
        """Note that the database has answered."""
        self._silent = False

    def refuse(self) -> None:
        """Return if the database may be asked.

        Raises:
            TimeoutError: it is silent, and another thread tried it a moment ago.
        """
        if not self._silent:
            return
        with self._lock:
            if monotonic() < self._next_probe:
                raise TimeoutError("The database did not answer a moment ago.")
            self._next_probe = monotonic() + PROBE_SECONDS


class BoundedPool(QueuePool):
    """Raises TimeoutError at once while all connections are stuck or the database is silent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.silence = Silence()
        self._changed_at = 0.0

    def recreate(self) -> "BoundedPool":
        """Return an empty pool for the same database."""
        pool = super().recreate()
        assert isinstance(pool, BoundedPool)  # noqa: S101
        pool.silence = self.silence
        return pool

    def _do_get(self) -> ConnectionPoolEntry:
        self.silence.refuse()
        give_up = monotonic() + WAIT_SECONDS
        while True:
            if self.checkedout() < self.size():
                self._changed_at = monotonic()
            elif self._is_stuck():
                raise TimeoutError("All connections to the database are stuck.")
            try:
                return super()._do_get()  # waits for the time after which the pool is stuck
            except TimeoutError:
                if self._is_stuck() or monotonic() > give_up:
                    raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._changed_at = monotonic()
        super()._do_return_conn(record)

    def _is_stuck(self) -> bool:
        return monotonic() - self._changed_at > self._timeout
