"""People's accounts: registered, found, listed, disabled, deleted."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from authsvc import clock, roles
from authsvc.audit.record import Actor, Event, record
from authsvc.database import reading, writing
from authsvc.problems import EmailTaken
from authsvc.roles import Roles
from authsvc.users.emails import ALICE, checked_email, email_key
from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from authsvc.web import log_context
from authsvc.web.outputs import Instant

PAGE = 1000
"""Rows fetched at a time where all are wanted."""


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
    email: str = field(metadata={"examples": [ALICE]})
    created_at: Instant
    roles: Roles = field(metadata={"examples": [["admin"]]})


def register(passwords: Passwords, email: str, password: str, actor: Actor) -> Account:
    """Make an account.

    Args:
        passwords: what hashes the password.
        email: as the person types it; it is stored so, and compared without case.
        password: as the person types it.
        actor: who makes the account.

    Raises:
        ValidationFailed: not an e-mail address, or a weak password.
        EmailTaken: there is an account with that address.
        ServiceUnavailable: too many passwords are being hashed.
    """
    written, key = checked_email(email)
    passwords.refuse_weak(password, written, "/password")
    account = Account(uuid7(), written, clock.now(), roles=())
    password_hash = passwords.hash(password)
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
        record(connection, actor, Event("registered", account.id))
    log_context.bind(user=account.id)
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


_ACCOUNT = (User.id, User.email, User.created_at, User.roles)


def _account(id: UUID, email: str, created_at: datetime, written: str) -> Account:
    return Account(id, email, created_at, roles.parse(written))


def _find(which: ColumnElement[bool]) -> Account | None:
    with reading() as connection:
        row = connection.execute(select(*_ACCOUNT).where(which)).one_or_none()
    return _account(*row) if row else None
