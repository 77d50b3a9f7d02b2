"""Create an account whose owner sets the password by a link; the operator never knows it."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from authsvc import clock, signals
from authsvc.admin.links import mail_link, new_url, refuse_without_mail
from authsvc.admin.lookup import LockedAccount
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.mail.outbox import Outbox
from authsvc.users.accounts import Account, insert_account
from authsvc.users.emails import checked_email
from authsvc.web import registry

UNUSABLE_HASH = "!"
"""The hash of an account without a password: it is malformed, so every password is wrong."""

T = TypeVar("T")


def invite(email: str, locale: str | None = None) -> Account:
    """Create an account without a password, mail its owner a link to set one, and return it.

    Args:
        email: the address.
        locale: the language of the person's mails (BCP 47).

    Raises:
        ValidationFailed: the address is not valid.
        EmailTaken: an account has that address.
        Refused: mail is not configured.
    """

    def mail(connection: Connection, account: LockedAccount) -> None:
        mail_link(connection, account, "invitation")

    account, _ = _create(email, locale, mail)
    registry.get(Outbox).wake()
    return account


def invitation_url(email: str, locale: str | None = None) -> tuple[Account, str]:
    """Create an account without a password, and return it with the URL of a link to set one.

    The arguments and exceptions are those of `invite`.
    """
    return _create(
        email, locale, lambda connection, account: new_url(connection, account, "invitation")
    )


def _create(
    email: str, locale: str | None, make_link: Callable[[Connection, LockedAccount], T]
) -> tuple[Account, T]:
    refuse_without_mail("give the account a password")
    written, key = checked_email(email)
    account = Account(uuid7(), written, clock.now(), roles=(), email_verified=False)

    def create(connection: Connection) -> T:
        insert_account(connection, account, key, UNUSABLE_HASH, locale)
        record(connection, current_operator(), Event("registered", account.id))
        return make_link(connection, LockedAccount(account.id, written, key, is_disabled=False))

    link = transaction(create)
    signals.send(signals.user_registered, user_id=account.id)
    return account, link
