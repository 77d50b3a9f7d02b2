"""Find the account that an operator names."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from authsvc.problems import NotFound
from authsvc.users import accounts
from authsvc.users.accounts import Account
from authsvc.users.model import User


class Refused(Exception):
    """A command cannot be carried out; the message says why, and what the operator can do."""


@dataclass(frozen=True)
class LockedAccount:
    """An account that is locked until the commit.

    Args:
        id: of the account.
        email: its address, as stored.
        email_key: the canonical form of the address.
        is_disabled: whether it is disabled.
    """

    id: UUID
    email: str
    email_key: str
    is_disabled: bool


def account_of(email_or_id: str) -> Account:
    """Return the account with this e-mail address or id.

    An id also finds an account whose address logs in to another one: see migration 0003.

    Raises:
        NotFound: there is no such account.
    """
    try:
        account = accounts.find(UUID(email_or_id))
    except ValueError:
        account = accounts.find_by_email(email_or_id)
    if account is None:
        raise _not_found()
    return account


def lock_account(connection: Connection, user_id: UUID) -> LockedAccount:
    """Lock an account until the commit, and return it.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    row = connection.execute(
        select(User.id, User.email, User.email_key, User.disabled_at.is_not(None))
        .where(User.id == user_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise _not_found()
    return LockedAccount(*row)


def _not_found() -> NotFound:
    return NotFound(
        "There is no account with this e-mail address. `authsvc users list` shows all accounts."
    )
