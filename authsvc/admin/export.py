"""Show an operator everything that is stored about a person."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from authsvc import clock
from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.read import newest
from authsvc.audit.record import Event, record
from authsvc.database import reading, transaction
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.mail.model import WaitingMail
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.model import RefreshToken
from authsvc.tokens.keyring import encode
from authsvc.users.emails import email_key
from authsvc.users.model import User
from authsvc.users.one_time_tokens import OneTimeToken
from authsvc.web import registry

PAGE = 1000
"""Events read at a time."""


def export(email: str) -> dict[str, Any]:
    """Return all that is stored about a person, as JSON values.

    Secrets, and hashes of passwords, tokens and codes, are stored too, but not returned: they are
    of no use to the person, and could be attacked where the export is kept.

    Raises:
        NotFound: there is no such account.
    """
    account = account_of(email)
    failures = registry.get(Throttle).failures(email_key(account.email), account.id)
    data = {
        "account": _rows(User, User.id == account.id, "password_hash")[0],
        "factors": {
            "totp": _rows(Totp, Totp.user_id == account.id, "secret"),
            "recovery_codes": _rows(RecoveryCode, RecoveryCode.user_id == account.id, "code_hash"),
            "passkeys": _rows(Passkey, Passkey.user_id == account.id),
        },
        "sessions": _rows(RefreshToken, RefreshToken.user_id == account.id, "token_hash"),
        "events": list(_events(account.id)),
        "links": _rows(
            OneTimeToken, _of_person(OneTimeToken, account.id), "token_hash", "password_hash"
        ),
        "mails": _rows(WaitingMail, _of_person(WaitingMail, account.id), "lease"),
        "limits": {
            "failed_logins": failures.logins,
            "failed_confirmations": failures.confirmations,
            "wrong_codes": failures.codes,
        },
    }
    exported = Event("account_exported", account.id)
    transaction(lambda connection: record(connection, current_operator(), exported))
    return data


def _of_person(table: Any, user_id: UUID) -> Any:
    """Return the condition for rows of an account, and for those that name its address only."""
    key = select(User.email_key).where(User.id == user_id).scalar_subquery()
    return or_(table.user_id == user_id, and_(table.user_id.is_(None), table.email_key == key))


def _rows(table: Any, condition: Any, *without: str) -> list[dict[str, Any]]:
    """Return the matching rows, oldest first, without those columns."""
    columns = [column for column in table.__table__.columns if column.name not in without]
    with reading() as connection:
        query = select(*columns).where(condition).order_by(*table.__table__.primary_key)
        rows = connection.execute(query).mappings()
        return [{name: _json(value) for name, value in row.items()} for row in rows]


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    if isinstance(value, bytes):
        return encode(value)
    return str(value) if isinstance(value, UUID) else value


def _events(user_id: UUID) -> Iterator[dict[str, Any]]:
    """Yield the events of the account, newest first."""
    before = None
    while events := newest(PAGE, user_id=user_id, before=before):
        yield from (event.json() | {"session": event.session} for event in events)
        before = events[-1].id
