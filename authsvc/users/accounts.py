"""What happens to an account: registered, authenticated, given a new password, deleted."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.components import component
from authsvc.database import reading, writing
from authsvc.facts import note
from authsvc.problems import (
    EmailTaken,
    Fault,
    InvalidCredentials,
    ValidationFailed,
    WrongPassword,
)
from authsvc.users.model import User
from authsvc.users.passwords import Passwords

PAGE = 1000
"""Rows fetched at a time where all are wanted."""


@dataclass(frozen=True)
class Account:
    """A person's account as the world may see it."""

    id: UUID
    email: str
    created_at: datetime

    def json(self) -> dict[str, Any]:
        """How its owner is told of it."""
        return {
            "id": str(self.id),
            "email": self.email,
            "created_at": clock.rfc3339(self.created_at),
        }


@dataclass(frozen=True)
class Authenticated:
    """Somebody who gave the right password a moment ago.

    Args:
        id: the user.
        password_hash: the stored hash that the password was checked against.
        better_hash: what to store instead, where that hash is dated.
    """

    id: UUID
    password_hash: str
    better_hash: str | None


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
    account = Account(uuid7(), written, clock.now())
    password_hash = component(Passwords).hash(password)
    try:
        with writing() as connection:
            connection.execute(
                insert(User).values(
                    id=account.id,
                    email=account.email,
                    email_key=key,
                    password_hash=password_hash,
                    created_at=account.created_at,
                )
            )
    except IntegrityError:
        raise EmailTaken from None
    note(user=account.id)
    return account


def authenticate(email: str, password: str) -> Authenticated:
    """The user with this e-mail address and password.

    An unknown address, a wrong password and a disabled account cost the same and answer alike.

    Raises:
        InvalidCredentials: there is none.
        ServiceUnavailable: too many passwords are being hashed.
    """
    with reading() as connection:
        user = connection.execute(
            select(User.id, User.password_hash, User.disabled_at).where(
                User.email_key == email_key(email)
            )
        ).one_or_none()
    if user is not None:
        note(user=user.id)
    if user is not None and user.disabled_at is not None:
        user = None  # an upgrade of a dated hash would be a second hash, and tell it apart
    verdict = component(Passwords).verify(password, user.password_hash if user else None)
    if user is None or not verdict.correct:
        raise InvalidCredentials
    return Authenticated(user.id, user.password_hash, verdict.better_hash)


def confirm_password(user_id: UUID, password: str) -> str:
    """The stored hash of a user whose password this is.

    Raises:
        WrongPassword: it is not.
        ServiceUnavailable: too many passwords are being hashed.
    """
    with reading() as connection:
        stored = connection.execute(
            select(User.password_hash).where(User.id == user_id)
        ).scalar_one_or_none()
    if not component(Passwords).verify(password, stored).correct or stored is None:
        raise WrongPassword
    return stored


def still_authenticated(connection: Connection, user: Authenticated) -> bool:
    """Whether the account is as it was when the password was checked; keeps it so until the end
    of the transaction.

    Hashing takes time, and in that time the password may have been changed or the account
    disabled, and all its sessions ended: a session opened after that would escape.
    """
    query = _unchanged(user.id, user.password_hash).with_for_update()
    if connection.execute(query).one_or_none() is None:
        return False
    if user.better_hash is not None:
        connection.execute(
            update(User).where(User.id == user.id).values(password_hash=user.better_hash)
        )
    return True


def replace_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Store the hash of a new password.

    Raises:
        WrongPassword: the stored hash is no longer the old one.
    """
    changed = connection.execute(
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
        .returning(User.id)
    )
    if changed.one_or_none() is None:
        raise WrongPassword


def hold(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Let nobody log in to the account until the end of the transaction.

    Raises:
        WrongPassword: the stored hash is no longer the one that was confirmed.
    """
    query = _unchanged(user_id, password_hash).with_for_update()
    if connection.execute(query).one_or_none() is None:
        raise WrongPassword


def remove(connection: Connection, user_id: UUID) -> None:
    """Delete the account."""
    connection.execute(delete(User).where(User.id == user_id))


def find(user_id: UUID) -> Account | None:
    """The account with this id."""
    with reading() as connection:
        row = connection.execute(
            select(User.id, User.email, User.created_at).where(User.id == user_id)
        ).one_or_none()
    return Account(*row) if row else None


def find_by_email(email: str) -> Account | None:
    """The account with this e-mail address."""
    with reading() as connection:
        row = connection.execute(
            select(User.id, User.email, User.created_at).where(User.email_key == email_key(email))
        ).one_or_none()
    return Account(*row) if row else None


def all_accounts() -> Iterator[tuple[Account, datetime | None]]:
    """Every account with the time at which it was disabled, oldest first."""
    columns = (User.id, User.email, User.created_at, User.disabled_at)
    with reading() as connection:
        rows = connection.execution_options(yield_per=PAGE).execute(
            select(*columns).order_by(User.id)
        )
        for row in rows:
            yield Account(*row[:3]), row.disabled_at


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


def _unchanged(user_id: UUID, password_hash: str) -> Select[UUID]:
    return select(User.id).where(
        User.id == user_id, User.password_hash == password_hash, User.disabled_at.is_(None)
    )
