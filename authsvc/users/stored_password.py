"""The stored password of an account: confirm it, replace it, lock the account."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from authsvc.database import reading
from authsvc.problems import WrongPassword
from authsvc.roles import Roles, parse
from authsvc.users.model import User
from authsvc.users.passwords import Passwords


@dataclass(frozen=True)
class Owner:
    """The account whose password was replaced.

    Args:
        email: its address, as stored.
        email_key: the canonical form of the address.
        roles: its roles.
    """

    email: str
    email_key: str
    roles: Roles


def confirm_password(passwords: Passwords, user_id: UUID, password: str) -> str:
    """Return the stored hash of the user, if this is the user's password.

    Raises:
        WrongPassword: it is not the user's password.
        ServiceUnavailable: too many passwords are being hashed.
    """
    with reading() as connection:
        stored = connection.execute(
            select(User.password_hash).where(User.id == user_id)
        ).scalar_one_or_none()
    if not passwords.verify(password, stored).correct or stored is None:
        raise WrongPassword
    return stored


def replace_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> Owner:
    """Store the hash of a new password, and return the account.

    Raises:
        WrongPassword: the stored hash is not the old one any more, or the account was disabled.
    """
    changed = connection.execute(
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash, User.disabled_at.is_(None))
        .values(password_hash=new_hash)
        .returning(User.email, User.email_key, User.roles)
    ).one_or_none()
    if changed is None:
        raise WrongPassword
    return Owner(changed.email, changed.email_key, parse(changed.roles))


def overwrite_password(connection: Connection, user_id: UUID, new_hash: str) -> None:
    """Store the hash of a new password, whatever the old one was."""
    connection.execute(update(User).where(User.id == user_id).values(password_hash=new_hash))


def lock_confirmed(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Lock an account whose password was confirmed: until the commit, no login succeeds.

    Raises:
        WrongPassword: the stored hash is not the confirmed one any more.
    """
    if locked_roles(connection, user_id, password_hash) is None:
        raise WrongPassword


def locked_roles(connection: Connection, user_id: UUID, password_hash: str) -> str | None:
    """Lock an account until the commit, and return its roles as stored.

    None if the account is deleted or disabled, or its hash is not this one any more.
    """
    values = {"user": user_id, "hash": password_hash}
    return connection.execute(_LOCKED_ROLES, values).scalar_one_or_none()


# FOR NO KEY UPDATE: no key of the row changes, so a transaction that records an event of the
# user does not wait. A waiting logout would hold the lock of the session that a login ends.
_LOCKED_ROLES = (
    select(User.roles)
    .where(
        User.id == bindparam("user"),
        User.password_hash == bindparam("hash"),
        User.disabled_at.is_(None),
    )
    .with_for_update(key_share=True)
)
