"""Register an account that exists at once."""

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from authsvc import clock, signals
from authsvc.audit.record import Actor, Event, record
from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.users.accounts import Account, insert_account
from authsvc.users.emails import checked_email
from authsvc.users.passwords import Passwords
from authsvc.web import log_context


def register(
    passwords: Passwords,
    email: str,
    password: str,
    actor: Actor,
    *,
    locale: str | None = None,
    outbox: Outbox | None = None,
) -> Account:
    """Create an account and return it.

    Args:
        passwords: hashes the password.
        email: as the person types it; stored so, and compared in its canonical form.
        password: as the person types it.
        actor: who creates the account.
        locale: the language of the person's mails (BCP 47).
        outbox: takes a mail whose link verifies the address.

    Raises:
        ValidationFailed: the address is not valid, or the password is weak.
        EmailTaken: an account has that address.
        ServiceUnavailable: too many passwords are being hashed.
    """
    written, key = checked_email(email)
    passwords.refuse_weak(password, written, "/password")
    account = Account(uuid7(), written, clock.now(), roles=(), email_verified=False)
    password_hash = passwords.hash(password)

    def create(connection: Connection) -> None:
        insert_account(connection, account, key, password_hash, locale)
        record(connection, actor, Event("registered", account.id))
        if outbox is not None:
            outbox.add(connection, Mail("verification", written, key, account.id))

    transaction(create)
    log_context.bind(user=account.id)
    signals.send(signals.user_registered, user_id=account.id)
    return account
