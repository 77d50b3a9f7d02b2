"""Give an account another e-mail address."""

from sqlalchemy import Connection

from authsvc.admin.lookup import account_of
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.users import accounts
from authsvc.users.emails import checked_email


def change_email(old: str, new: str) -> str:
    """Give an account another address, which counts as unverified, and return it as stored.

    Sessions stay, since the password does.

    Raises:
        NotFound: there is no such account.
        ValidationFailed: the new address is not valid.
        EmailTaken: another account has it.
    """
    account = account_of(old)
    email, key = checked_email(new)

    def replace(connection: Connection) -> None:
        accounts.replace_email(connection, account.id, email, key)
        record(connection, current_operator(), Event("email_changed", account.id))

    transaction(replace)
    return email
