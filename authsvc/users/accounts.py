"""Accounts: insert, find, list, disable and delete them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from authsvc import roles
from authsvc.database import reading
from authsvc.problems import EmailTaken
from authsvc.roles import Roles
from authsvc.users.emails import ALICE, email_key
from authsvc.users.model import User
from authsvc.web.outputs import Instant

PAGE = 1000
"""Rows fetched at a time when all accounts are listed."""


@dataclass(frozen=True)
class Account:
    """An account, as its owner sees it.

    Args:
        id: never changes, and is the `sub` claim of the access tokens.
        email: as written at registration.
        created_at: when it was registered.
        roles: the roles that an operator granted.
        email_verified: whether the person has proved that mail to the address reaches them.
    """

    id: UUID
    email: str = field(metadata={"examples": [ALICE]})
    created_at: Instant
    roles: Roles = field(metadata={"examples": [["admin"]]})
    email_verified: bool


def insert_account(
    connection: Connection, account: Account, key: str, password_hash: str, locale: str | None
) -> None:
    """Insert the row of a new account.

    Args:
        connection: in a transaction, which fails as a whole if the address is taken.
        account: a verified one is verified since it exists.
        key: the canonical form of its address.
        password_hash: the hash of its password.
        locale: the language of the person's mails.

    Raises:
        EmailTaken: an account has that address.
    """
    row = {
        "id": account.id,
        "email": account.email,
        "email_key": key,
        "password_hash": password_hash,
        "created_at": account.created_at,
        "email_verified_at": account.created_at if account.email_verified else None,
        "locale": locale,
    }
    try:
        connection.execute(insert(User).values(row))
    except IntegrityError:
        raise EmailTaken from None


def remove(connection: Connection, user_id: UUID) -> None:
    """Delete the account."""
    connection.execute(delete(User).where(User.id == user_id))


def find(user_id: UUID) -> Account | None:
    """Return the account with this id."""
    return _find(User.id == user_id)


def find_by_email(email: str) -> Account | None:
    """Return the account with this e-mail address."""
    return _find(User.email_key == email_key(email))


def all_accounts() -> Iterator[tuple[Account, datetime | None]]:
    """Yield every account and when it was disabled, oldest account first.

    Each page is a statement of its own: a cursor would need a transaction for the whole list.
    """
    after = UUID(int=0)
    while page := _page(after):
        yield from page
        after = page[-1][0].id


def _page(after: UUID) -> list[tuple[Account, datetime | None]]:
    query = select(*_ACCOUNT, User.disabled_at).where(User.id > after).order_by(User.id)
    with reading() as connection:
        rows = connection.execute(query.limit(PAGE))
        return [(_account(*row[:5]), row.disabled_at) for row in rows]


def emails(user_ids: Collection[UUID]) -> dict[UUID | None, str]:
    """Return the e-mail addresses of these users; users that do not exist are left out."""
    with reading() as connection:
        rows = connection.execute(select(User.id, User.email).where(User.id.in_(user_ids)))
        return {row.id: row.email for row in rows}


def replace_roles(
    connection: Connection, user_id: UUID, change: Callable[[Roles], Roles]
) -> tuple[Roles, Roles]:
    """Change the roles of an account, and return the old and the new ones.

    Args:
        connection: in a transaction, which locks the account until the commit.
        user_id: whose roles.
        change: returns the new roles for the old ones.
    """
    query = select(User.roles).where(User.id == user_id).with_for_update(key_share=True)
    before = roles.parse(connection.execute(query).scalar_one())
    after = change(before)
    connection.execute(update(User).where(User.id == user_id).values(roles=roles.join(after)))
    return before, after


def lock(connection: Connection, user_id: UUID) -> None:
    """Lock an account until the commit, so that no login opens a session meanwhile."""
    connection.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def is_verified(connection: Connection, user_id: UUID) -> bool:
    """Return whether the account's address is verified."""
    query = select(User.id).where(User.id == user_id, User.email_verified_at.is_not(None))
    return connection.execute(query).one_or_none() is not None


def replace_email(
    connection: Connection,
    user_id: UUID,
    email: str,
    key: str,
    verified_at: datetime | None = None,
) -> None:
    """Store another address.

    Args:
        connection: in a transaction, which fails as a whole if the address is taken.
        user_id: whose address.
        email: the address as it is stored.
        key: its canonical form.
        verified_at: when the owner proved that mail to it reaches them; None if it is unverified.

    Raises:
        EmailTaken: another account has that address.
    """
    values = {"email": email, "email_key": key, "email_verified_at": verified_at}
    try:
        connection.execute(update(User).where(User.id == user_id).values(values))
    except IntegrityError:
        raise EmailTaken from None


def set_disabled(connection: Connection, user_id: UUID, at: datetime | None) -> None:
    """Set when the account was disabled; None enables it."""
    connection.execute(update(User).where(User.id == user_id).values(disabled_at=at))


_ACCOUNT = (User.id, User.email, User.created_at, User.roles, User.email_verified_at)


def _account(
    id: UUID, email: str, created_at: datetime, written: str, verified_at: datetime | None
) -> Account:
    return Account(id, email, created_at, roles.parse(written), verified_at is not None)


def _find(which: ColumnElement[bool]) -> Account | None:
    with reading() as connection:
        row = connection.execute(select(*_ACCOUNT).where(which)).one_or_none()
    return _account(*row) if row else None
