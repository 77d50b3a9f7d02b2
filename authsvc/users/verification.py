"""Verify an e-mail address by a link that was mailed to it."""

from sqlalchemy import ColumnElement, Connection, select, update

from authsvc import clock
from authsvc.audit.record import Actor, Event, record, record_refusal
from authsvc.database import reading, transaction
from authsvc.problems import InvalidCredentials, TokenInvalid
from authsvc.users import unverified_registration
from authsvc.users.authentication import authenticate
from authsvc.users.model import User
from authsvc.users.one_time_tokens import FoundToken, find, use
from authsvc.users.passwords import Passwords


def find_link(token: str) -> FoundToken:
    """Return the row of a link that verifies an address.

    Raises:
        TokenInvalid: there is no such link, it has expired, or its account has another address.
    """
    link = find("verification", token)
    if link.user_id is not None:
        with reading() as connection:
            if connection.execute(select(User.id).where(*_account_of(link))).first() is None:
                raise TokenInvalid
    return link


def confirm(passwords: Passwords, link: FoundToken, password: str, actor: Actor) -> None:
    """Require the password that the link's registration was made with, or that of its account.

    Exactly one hash is computed.

    Raises:
        InvalidCredentials: it is another password, or the account is disabled.
        ServiceUnavailable: too many passwords are being hashed.
    """
    if link.password_hash is None:
        authenticate(passwords, link.email, password, actor)
    elif not passwords.verify(password, link.password_hash).correct:
        record_refusal(actor, Event("login_refused", user_id=None))
        raise InvalidCredentials


def verify(link: FoundToken, actor: Actor) -> None:
    """Mark the address as verified, or create the account that waits for it. This may be repeated.

    Args:
        link: its password was confirmed, or a session of its account.
        actor: who uses the link.

    Raises:
        TokenInvalid: the address belongs to another account by now, or the link has expired.
    """
    if link.password_hash is None:
        transaction(lambda connection: _verify_account(connection, link, actor))
    else:
        unverified_registration.complete(link, link.password_hash, actor)


def _verify_account(connection: Connection, link: FoundToken, actor: Actor) -> None:
    query = (
        select(User.id, User.email_verified_at)
        .where(*_account_of(link))
        .with_for_update(key_share=True)
    )
    account = connection.execute(query).one_or_none()
    if account is None:
        raise TokenInvalid
    now = clock.now()
    use(connection, link.id, now)
    if account.email_verified_at is None:
        verified = update(User).where(User.id == account.id).values(email_verified_at=now)
        connection.execute(verified)
        record(connection, actor, Event("email_verified", account.id), at=now)


def _account_of(link: FoundToken) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition that an account is the link's, and has the address that it proves."""
    return User.id == link.user_id, User.email_key == link.email_key
