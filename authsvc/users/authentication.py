"""Whether somebody knows a password, and that the answer still holds when it is acted upon."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from authsvc.audit.record import Event, record_refusal
from authsvc.database import reading
from authsvc.database.compiled import Query
from authsvc.problems import InvalidCredentials, WrongPassword
from authsvc.roles import Roles, parse
from authsvc.users.accounts import email_key
from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from authsvc.web.log_context import note
from authsvc.web.registry import component


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


def authenticate(email: str, password: str) -> Authenticated:
    """The user with this e-mail address and password.

    An unknown address, a wrong password and a disabled account cost the same and answer alike.

    Raises:
        InvalidCredentials: there is none.
        ServiceUnavailable: too many passwords are being hashed.
    """
    user = _USER.look_up(email_key=email_key(email))
    refused = Event("login_refused", user_id=None)
    if user is not None:
        note(user=user.id)
        why = "wrong_password" if user.disabled_at is None else "account_disabled"
        refused = Event("login_refused", user.id, detail=why)
    if user is not None and user.disabled_at is not None:
        user = None  # an upgrade of a dated hash would be a second hash, and tell it apart
    verdict = component(Passwords).verify(password, user.password_hash if user else None)
    if user is None or not verdict.correct:
        record_refusal(refused)
        raise InvalidCredentials
    return Authenticated(user.id, user.password_hash, verdict.better_hash)


class _User(NamedTuple):
    id: UUID
    password_hash: str
    disabled_at: datetime | None


_USER = Query(
    select(User.id, User.password_hash, User.disabled_at).where(
        User.email_key == bindparam("email_key")
    ),
    _User,
)


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


def roles_of(connection: Connection, user: Authenticated) -> Roles:
    """The roles of somebody whose account is as it was when the password was checked; keeps
    it so until the end of the transaction.

    Hashing takes time, and in that time the password may have been changed, the account
    disabled or a role taken away, and all its sessions ended: a session opened after that
    would escape.

    Raises:
        InvalidCredentials: the password was changed, or the account disabled or deleted.
    """
    roles = _held(connection, user.id, user.password_hash)
    if roles is None:
        raise InvalidCredentials
    if user.better_hash is not None:
        connection.execute(
            update(User).where(User.id == user.id).values(password_hash=user.better_hash)
        )
    return parse(roles)


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
    if _held(connection, user_id, password_hash) is None:
        raise WrongPassword


def _held(connection: Connection, user_id: UUID, password_hash: str) -> str | None:
    user = _UNCHANGED.one_or_none(connection, id=user_id, password_hash=password_hash)
    return None if user is None else user.roles


class _Unchanged(NamedTuple):
    roles: str


# No key of the row is changed (FOR NO KEY UPDATE), so whoever records an event of the user
# meanwhile does not wait: a logout that did would hold the very session that a login ends.
_UNCHANGED = Query(
    select(User.roles)
    .where(
        User.id == bindparam("id"),
        User.password_hash == bindparam("password_hash"),
        User.disabled_at.is_(None),
    )
    .with_for_update(key_share=True),
    _Unchanged,
)
