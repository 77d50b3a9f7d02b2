"""Registrations that wait until the person proves the address: see `OneTimeToken`."""

from sqlalchemy import Connection, delete, select, update
from uuid_utils.compat import uuid7

from authsvc import clock, signals
from authsvc.audit.record import Actor, Event, record
from authsvc.database import reading, transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import EmailTaken, TokenInvalid
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.users.accounts import Account, insert_account
from authsvc.users.emails import checked_email
from authsvc.users.one_time_tokens import (
    VERIFICATION_LIFE,
    FoundToken,
    OneTimeToken,
    insert_token,
    use,
)
from authsvc.users.passwords import Passwords
from authsvc.web import log_context


def wait_for_proof(
    passwords: Passwords,
    tokens: OneTimeTokens,
    outbox: Outbox,
    email: str,
    password: str,
    locale: str | None,
) -> None:
    """Store a registration, and mail the link that completes it. No account is looked up.

    Args:
        passwords: hashes the password.
        tokens: issues the link's token.
        outbox: takes the mail.
        email: as the person types it.
        password: as the person types it.
        locale: the language of the person's mails.

    Raises:
        ValidationFailed: the address is not valid, or the password is weak.
        ServiceUnavailable: too many passwords are being hashed.
    """
    written, key = checked_email(email)
    passwords.refuse_weak(password, written, "/password")
    password_hash = passwords.hash(password)
    mail = Mail("registration", written, key)

    def wait(connection: Connection) -> None:
        insert_token(
            connection,
            tokens,
            "verification",
            mail,
            clock.now() + VERIFICATION_LIFE,
            password_hash=password_hash,
            locale=locale,
        )
        outbox.add(connection, mail)

    transaction(wait)


def complete(waiting: FoundToken, password_hash: str, actor: Actor) -> None:
    """Create the account of a registration whose link and password the person has.

    Other registrations of the address end. If another request completes this one at the same
    time, both succeed.

    Args:
        waiting: the row of its link.
        password_hash: of the registration.
        actor: who uses the link.

    Raises:
        TokenInvalid: an account has the address by now, or the link has expired.
    """
    account = Account(uuid7(), waiting.email, clock.now(), roles=(), email_verified=True)

    def create(connection: Connection) -> None:
        # The account first: of two links to one address, the second waits here, with no row locked.
        insert_account(connection, account, waiting.email_key, password_hash, waiting.locale)
        if not use(connection, waiting.id, clock.now()):
            raise TokenInvalid
        _end_waiting(connection, waiting, account)
        events = Event("registered", account.id), Event("email_verified", account.id)
        record(connection, actor, *events, at=account.created_at)

    try:
        transaction(create)
    except EmailTaken:
        if not _was_completed(waiting):
            raise TokenInvalid from None
        return
    log_context.bind(user=account.id)
    signals.send(signals.user_registered, user_id=account.id)


def _end_waiting(connection: Connection, waiting: FoundToken, account: Account) -> None:
    """Give the used link to the account, and remove all other registrations of the address."""
    connection.execute(
        update(OneTimeToken)
        .where(OneTimeToken.id == waiting.id)
        .values(user_id=account.id, password_hash=None)
    )
    others = (OneTimeToken.email_key == waiting.email_key, OneTimeToken.user_id.is_(None))
    connection.execute(delete(OneTimeToken).where(*others))


def _was_completed(waiting: FoundToken) -> bool:
    query = select(OneTimeToken.id).where(
        OneTimeToken.id == waiting.id, OneTimeToken.user_id.is_not(None)
    )
    with reading() as connection:
        return connection.execute(query).one_or_none() is not None
