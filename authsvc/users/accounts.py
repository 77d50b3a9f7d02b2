"""People's accounts: registered, found, listed, disabled, deleted."""

import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import Field
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from authsvc import clock, roles
from authsvc.audit.record import Event, record
from authsvc.database import reading, writing
from authsvc.problems import (
    EmailTaken,
    Fault,
    ValidationFailed,
)
from authsvc.roles import Roles
from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from authsvc.web.inputs import Text
from authsvc.web.log_context import note
from authsvc.web.outputs import Instant
from authsvc.web.registry import component

PAGE = 1000
"""Rows fetched at a time where all are wanted."""

_ALICE = "alice@example.com"

Email = Annotated[Text, Field(examples=[_ALICE])]
"""An e-mail address as somebody types it."""


@dataclass(frozen=True)
class Account:
    """A person's account as its owner is told of it.

    Args:
        id: never changes, and is the `sub` claim of the access tokens.
        email: as it was written at registration.
        created_at: when it was registered.
        roles: those that an operator gave it.
    """

    id: UUID
    email: str = field(metadata={"examples": [_ALICE]})
    created_at: Instant
    roles: Roles = field(metadata={"examples": [["admin"]]})


def register(email: str, password: str) -> Account:
    """Make an account.

    Args:
        email: as the person writes it; it is kept so, and compared without case.
        password: as the person types it.

    Raises:
        ValidationFailed: not an e-mail address, or a weak password.
        EmailTaken: there is an account with that address.
        ServiceUnavailable: too many passwords are being hashed.
    """
    written, key = _checked_email(email)
    refuse_weak(password, written, "/password")
    account = Account(uuid7(), written, clock.now(), roles=())
    password_hash = component(Passwords).hash(password)
    row = {
        "id": account.id,
        "email": account.email,
        "email_key": key,
        "password_hash": password_hash,
        "created_at": account.created_at,
    }
    with writing() as connection:
        try:
            connection.execute(insert(User).values(row))
        except IntegrityError:
            raise EmailTaken from None
        record(connection, Event("registered", account.id))
    note(user=account.id)
    return account


def remove(connection: Connection, user_id: UUID) -> None:
    """Delete the account."""
    connection.execute(delete(User).where(User.id == user_id))


def find(user_id: UUID) -> Account | None:
    """The account with this id."""
    return _find(User.id == user_id)


def find_by_email(email: str) -> Account | None:
    """The account with this e-mail address."""
    return _find(User.email_key == email_key(email))


def all_accounts() -> Iterator[tuple[Account, datetime | None]]:
    """Every account with the time at which it was disabled, oldest first."""
    with reading() as connection:
        rows = connection.execution_options(yield_per=PAGE).execute(
            select(*_ACCOUNT, User.disabled_at).order_by(User.id)
        )
        for row in rows:
            yield _account(*row[:4]), row.disabled_at


def emails(user_ids: Collection[UUID]) -> dict[UUID | None, str]:
    """The e-mail addresses of these users, as far as they are there."""
    with reading() as connection:
        rows = connection.execute(select(User.id, User.email).where(User.id.in_(user_ids)))
        return {row.id: row.email for row in rows}


def replace_roles(
    connection: Connection, user_id: UUID, change: Callable[[Roles], Roles]
) -> tuple[Roles, Roles]:
    """Give somebody other roles; gives those that they had and those that they have now.

    Args:
        connection: in a transaction, which keeps others from changing them meanwhile.
        user_id: who.
        change: gives the new roles for the old ones.
    """
    query = select(User.roles).where(User.id == user_id).with_for_update(key_share=True)
    before = roles.parse(connection.execute(query).scalar_one())
    after = change(before)
    connection.execute(update(User).where(User.id == user_id).values(roles=roles.join(after)))
    return before, after


def set_disabled(connection: Connection, user_id: UUID, at: datetime | None) -> None:
    """Disable an account from an instant on, or with None enable it again."""
    connection.execute(update(User).where(User.id == user_id).values(disabled_at=at))


def overwrite_password(connection: Connection, user_id: UUID, new_hash: str) -> None:
    """Store the hash of a new password, whatever the old one was."""
    connection.execute(update(User).where(User.id == user_id).values(password_hash=new_hash))


def refuse_weak(password: str, email: str, pointer: str) -> None:
    """
    Raises:
        ValidationFailed: the password is not good enough for a new one.
    """
    weakness = component(Passwords).weakness(password, email)
    if weakness is not None:
        raise ValidationFailed([Fault(pointer, weakness)])


_ACCOUNT = (User.id, User.email, User.created_at, User.roles)


def _account(id: UUID, email: str, created_at: datetime, written: str) -> Account:
    return Account(id, email, created_at, roles.parse(written))


def _find(which: ColumnElement[bool]) -> Account | None:
    with reading() as connection:
        row = connection.execute(select(*_ACCOUNT).where(which)).one_or_none()
    return _account(*row) if row else None


def email_key(email: str) -> str:
    """The one form by which an e-mail address is compared: its case does not count.

    Any text has one, since anything can be typed at a login; Postgres stores no NUL.
    """
    folded = unicodedata.normalize("NFC", email).casefold().replace("\0", "\ufffd")
    return unicodedata.normalize("NFC", folded)


def _checked_email(email: str) -> tuple[str, str]:
    try:
        # `test_environment` lets the reserved domain .test pass (RFC 2606): nothing is sent.
        valid = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValidationFailed([Fault("/email", "This is not an e-mail address.")]) from None
    return valid.normalized, email_key(valid.normalized)
