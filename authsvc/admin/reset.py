"""Let the owner of an account set a new password, which the operator does not know."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from authsvc.admin.links import mail_link, new_url, refuse_without_mail
from authsvc.admin.lookup import LockedAccount, Refused, account_of, lock_account
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.mail.outbox import Outbox
from authsvc.web import registry

T = TypeVar("T")


def mail_reset(email: str) -> str:
    """Mail the owner a link for a new password, and return the address that it goes to.

    Raises:
        NotFound: there is no such account.
        Refused: the account is disabled, or mail is not configured.
    """

    def mail(connection: Connection, account: LockedAccount) -> str:
        mail_link(connection, account, "reset")
        return account.email

    address = _request(email, mail)
    registry.get(Outbox).wake()
    return address


def reset_url(email: str) -> str:
    """Return the URL of a link for a new password, and void older links of the account.

    Raises:
        NotFound: there is no such account.
        Refused: the account is disabled, or mail is not configured.
    """
    return _request(email, lambda connection, account: new_url(connection, account, "reset"))


def _request(email: str, make_link: Callable[[Connection, LockedAccount], T]) -> T:
    refuse_without_mail("use `authsvc users set-password`")
    user_id = account_of(email).id

    def request(connection: Connection) -> T:
        account = lock_account(connection, user_id)
        if account.is_disabled:
            raise Refused(
                f"{account.email} is disabled. Run `authsvc users enable {account.email}` first."
            )
        record(connection, current_operator(), Event("password_reset_requested", user_id))
        return make_link(connection, account)

    return transaction(request)
