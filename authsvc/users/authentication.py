"""Verify an e-mail address and a password, and that they are still right when a session opens."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from authsvc.audit.record import Actor, Event, record_refusal
from authsvc.database.compiled import Query
from authsvc.problems import InvalidCredentials
from authsvc.roles import Roles, parse
from authsvc.users.emails import email_key
from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from authsvc.users.stored_password import locked_roles
from authsvc.web import log_context


@dataclass(frozen=True)
class Authenticated:
    """A user who gave the right password a moment ago.

    Args:
        id: the user's id.
        password_hash: the stored hash that the password was verified against.
        better_hash: what to store instead, if that hash is outdated.
    """

    id: UUID
    password_hash: str
    better_hash: str | None


def authenticate(passwords: Passwords, email: str, password: str, actor: Actor) -> Authenticated:
    """Return the user with this e-mail address and password.

    An unknown address, a wrong password and a disabled account take the same time, and raise the
    same error.

    Raises:
        InvalidCredentials: there is no such user.
        ServiceUnavailable: too many passwords are being hashed.
    """
    user = _USER.look_up(email_key=email_key(email))
    refused = Event("login_refused", user_id=None)
    if user is not None:
        log_context.bind(user=user.id)
        why = "wrong_password" if user.disabled_at is None else "account_disabled"
        refused = Event("login_refused", user.id, detail=why)
    if user is not None and user.disabled_at is not None:
        user = None  # upgrading an outdated hash would be a second hash, which takes time
    verdict = passwords.verify(password, user.password_hash if user else None)
    if user is None or not verdict.correct:
        record_refusal(actor, refused)
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


def recheck_and_lock(connection: Connection, user: Authenticated) -> Roles:
    """Return the user's roles, if the account is as it was when the password was verified.

    Hashing takes time. In that time the password may have been changed, the account disabled or
    a role taken away, and all sessions revoked: a session opened after that would escape. So the
    account is locked until the end of the transaction. An outdated hash is replaced.

    Raises:
        InvalidCredentials: the password was changed, or the account disabled or deleted.
    """
    roles = locked_roles(connection, user.id, user.password_hash)
    if roles is None:
        raise InvalidCredentials
    if user.better_hash is not None:
        connection.execute(
            update(User).where(User.id == user.id).values(password_hash=user.better_hash)
        )
    return parse(roles)
