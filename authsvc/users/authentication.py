"""Verify an e-mail address and a password, and that they are still right when a session opens."""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select, update

from authsvc.audit.record import Actor, Event, record_refusal
from authsvc.database import reading
from authsvc.problems import EmailUnverified, InvalidCredentials
from authsvc.roles import Roles, parse
from authsvc.users.emails import email_key
from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from authsvc.users.stored_password import locked_roles
from authsvc.web import log_context

_log = logging.getLogger(__name__)

_TOO_EXPENSIVE = (
    "The password of user %s was not verified, because the imported hash takes too long: %s. "
    "Give the account another password with `authsvc users set-password %s`."
)


@dataclass(frozen=True)
class Authenticated:
    """A user who gave the right password a moment ago.

    Args:
        id: the user's id.
        password_hash: the stored hash that the password was verified against.
        better_hash: the hash to store instead, if that one is outdated.
        is_verified: whether the address of the account is verified.
    """

    id: UUID
    password_hash: str
    better_hash: str | None
    is_verified: bool


def authenticate(passwords: Passwords, email: str, password: str, actor: Actor) -> Authenticated:
    """Return the user with this e-mail address and password.

    An unknown address, a wrong password and a disabled account take the same time, and raise the
    same error.

    Raises:
        InvalidCredentials: there is no such user.
        ServiceUnavailable: too many passwords are being hashed.
    """
    user = _find(email_key(email))
    refused = Event("login_refused", user_id=None)
    if user is not None:
        log_context.bind(user=user.id)
        why = "wrong_password" if user.disabled_at is None else "account_disabled"
        refused = Event("login_refused", user.id, detail=why)
    if user is not None and user.disabled_at is not None:
        user = None  # replacing an outdated hash would be a second hash, which takes time
    verdict = passwords.verify(password, user.password_hash if user else None)
    if user is not None and verdict.too_expensive is not None:
        _log.warning(_TOO_EXPENSIVE, user.id, verdict.too_expensive, user.id)
        refused = Event("login_refused", user.id, detail="hash_too_expensive")
    if user is None or not verdict.correct:
        record_refusal(actor, refused)
        raise InvalidCredentials
    is_verified = user.email_verified_at is not None
    return Authenticated(user.id, user.password_hash, verdict.better_hash, is_verified)


def refuse_unverified(user_id: UUID, is_verified: bool, actor: Actor) -> None:
    """Refuse a user who has authenticated, if the address must be verified first.

    Raises:
        EmailUnverified: it must.
    """
    if not is_verified:
        record_refusal(actor, Event("login_refused", user_id, detail=EmailUnverified.code))
        raise EmailUnverified


def _find(key: str) -> Row[UUID, str, datetime | None, datetime | None] | None:
    with reading() as connection:
        return connection.execute(_USER, {"key": key}).one_or_none()


_USER = select(User.id, User.password_hash, User.disabled_at, User.email_verified_at).where(
    User.email_key == bindparam("key")
)


def recheck_and_lock(connection: Connection, user: Authenticated) -> Roles:
    """Return the user's roles, if the account has not changed since the password was verified.

    Hashing takes time. Meanwhile another request may change the password, disable the account or
    take a role away, and revoke all sessions; a session opened after that would stay live. So this
    locks the account until the end of the transaction. It also replaces an outdated hash.

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


def lock_enabled(connection: Connection, user_id: UUID) -> Roles:
    """Lock the account of a user who gave a passkey, and return the user's roles.

    Raises:
        InvalidCredentials: the account was disabled or deleted.
    """
    enabled = select(User.roles).where(User.id == user_id, User.disabled_at.is_(None))
    roles = connection.execute(enabled.with_for_update(key_share=True)).scalar_one_or_none()
    if roles is None:
        raise InvalidCredentials
    return parse(roles)
