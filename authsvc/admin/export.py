"""Show an operator everything that is stored about a person."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from authsvc import clock
from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.read import newest
from authsvc.audit.record import Event, record
from authsvc.database import reading, transaction
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.model import RefreshToken
from authsvc.users.emails import email_key
from authsvc.users.model import User
from authsvc.web import registry

PAGE = 1000
"""Events read at a time."""


def export(email: str) -> dict[str, Any]:
    """Return all that is stored about a person, as JSON values.

    Hashes of passwords and refresh tokens are stored too, but not returned: they are of no use to
    the person, and could be attacked where the export is kept.

    Raises:
        NotFound: there is no such account.
    """
    account = account_of(email)
    failed_logins, failed_confirmations = registry.get(Throttle).failures(
        email_key(account.email), account.id
    )
    data = {
        "account": _rows(User, User.id == account.id, without="password_hash")[0],
        "sessions": _rows(RefreshToken, RefreshToken.user_id == account.id, without="token_hash"),
        "events": list(_events(account.id)),
        "limits": {
            "failed_logins": failed_logins,
            "failed_password_confirmations": failed_confirmations,
        },
    }
    exported = Event("account_exported", account.id)
    transaction(lambda connection: record(connection, current_operator(), exported))
    return data


def _rows(table: Any, condition: Any, *, without: str) -> list[dict[str, Any]]:
    """Return the matching rows, oldest first, without the column that holds a hash."""
    columns = [column for column in table.__table__.columns if column.name != without]
    with reading() as connection:
        rows = connection.execute(select(*columns).where(condition).order_by(table.id)).mappings()
        return [{name: _json(value) for name, value in row.items()} for row in rows]


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    return str(value) if isinstance(value, UUID) else value


def _events(user_id: UUID) -> Iterator[dict[str, Any]]:
    """Yield the events of the account, newest first."""
    before = None
    while events := newest(PAGE, user_id=user_id, before=before):
        yield from (event.json() | {"session": event.session} for event in events)
        before = events[-1].id
