"""One transaction for the threads of a worker that wait for SQLite's write lock anyway.

SQLite commits one transaction at a time, and a commit costs more than the statements before it:
under load, logouts that share their commits take half of the CPU time (docs/performance.md).
"""

from collections.abc import Callable
from enum import Enum, auto
from threading import Lock
from typing import Any, Generic, TypeVar

from flask import current_app
from sqlalchemy import Connection

from authsvc.database import our_engine, transaction, writing
from authsvc.database.pool import STUCK_SECONDS

T = TypeVar("T")
_SHARED = "authsvc.shared_transactions"


def shared_transaction(work: Callable[[Connection], T]) -> T:
    """Run `work` as `transaction` does, on SQLite together with that of other threads.

    It returns after the commit. If the work of one thread fails, or the commit, then nothing of
    the transaction is kept, and each thread runs its own work alone.

    Args:
        work: may be run by another thread, inside another request, and may be run again. So it
            must use nothing of its request, and change nothing except the database.

    Raises:
        SQLAlchemyError: as in `transaction`.
    """
    if our_engine().name != "sqlite":
        return transaction(work)
    shared: SharedTransactions | None = current_app.extensions.get(_SHARED)
    if shared is None:
        shared = current_app.extensions.setdefault(_SHARED, SharedTransactions())
    return shared.run(work)


class _Outcome(Enum):
    """What a thread that waited must do."""

    COMMITTED = auto()  # nothing: its work was run, and committed
    LEADS = auto()  # run the next transaction, which it shares with those that wait by then
    ALONE = auto()  # run its work in a transaction of its own


class _Job(Generic[T]):
    """The work of one thread, and what became of it."""

    result: T

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.work = work
        self.outcome = _Outcome.ALONE
        self.settled = Lock()
        self.settled.acquire()

    def settle(self, outcome: _Outcome) -> None:
        self.outcome = outcome
        self.settled.release()


class SharedTransactions:
    """The transactions that the threads of a process share on one database.

    One thread leads: it waits for the write lock, then runs what the others want meanwhile.
    """

    def __init__(self) -> None:
        self._waiting: list[_Job[Any]] = []
        self._is_led = False
        self._lock = Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction: see `shared_transaction`."""
        job = _Job(work)
        with self._lock:
            leads, self._is_led = not self._is_led, True
            if not leads:
                self._waiting.append(job)
        outcome = _Outcome.LEADS if leads else self._wait(job)
        if outcome is _Outcome.LEADS:
            outcome = self._lead(job)
        return transaction(work) if outcome is _Outcome.ALONE else job.result

    def _wait(self, job: _Job[T]) -> _Outcome:
        """Wait until the job is settled, or as long as for a connection of a pool that is stuck.

        After that the pool decides: it refuses at once while all of its connections are stuck.
        """
        if not job.settled.acquire(timeout=STUCK_SECONDS):
            with self._lock:
                if job in self._waiting:
                    self._waiting.remove(job)
                    return _Outcome.ALONE
            job.settled.acquire()  # its transaction has begun, or this thread leads
        return job.outcome

    def _lead(self, own: _Job[T]) -> _Outcome:
        """Run one transaction, and settle the jobs of the other threads in it: after the commit."""
        batch: list[_Job[Any]] = [own]
        outcome = _Outcome.ALONE
        try:
            with writing() as connection:
                with self._lock:
                    batch += self._waiting
                    self._waiting.clear()
                for job in batch:
                    job.result = job.work(connection)
            outcome = _Outcome.COMMITTED
        except Exception:
            if batch == [own]:
                raise
        finally:
            self._hand_over()
            for job in batch[1:]:
                job.settle(outcome)
        return outcome

    def _hand_over(self) -> None:
        """Let the thread that has waited longest lead, if one waits."""
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting.pop(0).settle(_Outcome.LEADS)
