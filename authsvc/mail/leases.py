"""Take a mail out of the outbox for a while, and remove it or put it back.

A sender that dies keeps its mail only until the lease ends; then another sender takes it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, delete, func, select, update

from authsvc import clock
from authsvc.database import reading, transaction
from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Kind, Mail

LEASE = timedelta(minutes=2)
"""How long a sender has a mail for itself: longer than it may take to send one."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Leased(Mail):
    """A mail that this sender has for itself.

    Args:
        lease: proves that it is still this sender's.
        created_at: when it was put into the outbox.
        attempts: how many attempts were begun, this one included.
    """

    lease: UUID
    created_at: datetime
    attempts: int


class Waiting(NamedTuple):
    """How many mails wait, and since when the oldest does."""

    number: int
    oldest: datetime | None


def take(write: Callable[[Connection, Mail], T]) -> tuple[Leased, T] | None:
    """Lease the mail that is due the longest, and return it with what `write` returns for it.

    Both happen in one transaction. If no mail is due, return None.
    """

    def lease(connection: Connection) -> tuple[Leased, T] | None:
        now = clock.now()
        due = (
            select(WaitingMail.id)
            .where(WaitingMail.due_at <= now)
            .order_by(WaitingMail.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = connection.execute(
            update(WaitingMail)
            .where(WaitingMail.id == due.scalar_subquery())
            .values(lease=uuid4(), due_at=now + LEASE, attempts=WaitingMail.attempts + 1)
            .returning(*WaitingMail.__table__.columns)
        ).one_or_none()
        if row is None:
            return None
        mail = _leased(row)
        return mail, write(connection, mail)

    return transaction(lease)


def remove(mail: Leased, record: Callable[[Connection], object] = lambda _: None) -> None:
    """Remove a mail that was sent, or that there is no reason to send any more.

    Args:
        mail: is left alone if the lease has ended and it is another sender's.
        record: is called in the same transaction, if this call removed the mail.
    """
    ours = (WaitingMail.id == mail.id, WaitingMail.lease == mail.lease)
    removal = delete(WaitingMail).where(*ours).returning(WaitingMail.id)

    def remove(connection: Connection) -> None:
        if connection.execute(removal).one_or_none() is not None:
            record(connection)

    transaction(remove)


def put_back(mail: Leased, due_at: datetime) -> None:
    """Let the mail be sent at that time."""
    ours = (WaitingMail.id == mail.id, WaitingMail.lease == mail.lease)
    values = {"lease": None, "due_at": due_at}
    transaction(
        lambda connection: connection.execute(update(WaitingMail).where(*ours).values(values))
    )


def waiting() -> Waiting:
    """Return how many mails wait, those that are being sent included."""
    with reading() as connection:
        row = connection.execute(select(func.count(), func.min(WaitingMail.created_at))).one()
    return Waiting(*row)


def _leased(row: Row[*tuple[Any, ...]]) -> Leased:
    return Leased(
        kind=cast(Kind, row.kind),
        email=row.email,
        email_key=row.email_key,
        user_id=row.user_id,
        id=row.id,
        detail=None if row.detail is None else json.loads(row.detail),
        lease=row.lease,
        created_at=row.created_at,
        attempts=row.attempts,
    )
