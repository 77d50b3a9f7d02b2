"""Give an account another e-mail address."""

from collections.abc import Iterator

from sqlalchemy import Connection

from authsvc.admin.lookup import LockedAccount, account_of, lock_account
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.settings import Settings
from authsvc.users import accounts
from authsvc.users.emails import checked_email
from authsvc.users.voided_links import void_links
from authsvc.web import registry


def change_email(old: str, new: str) -> str:
    """Give an account another address, which counts as unverified, and return it as stored.

    Sessions stay, since the password does. Where mail is configured, links that wait for the
    account are void, the old address gets a notice, and the new one a link that verifies it.

    Raises:
        NotFound: there is no such account.
        ValidationFailed: the new address is not valid.
        EmailTaken: another account has it.
    """
    account = account_of(old)
    email, key = checked_email(new)

    outbox = registry.get(Outbox)

    def replace(connection: Connection) -> None:
        before = lock_account(connection, account.id) if outbox.is_on else None
        if before is not None:
            # A change that the owner asked for earlier must not undo this one. Before the key is
            # changed: a sender that has one of these mails needs the account's row.
            void_links(connection, account.id, before.email_key, "reset", "change")
            outbox.add(connection, *_mails(before, email, key))
        accounts.replace_email(connection, account.id, email, key)
        record(connection, current_operator(), Event("email_changed", account.id))

    transaction(replace)
    outbox.wake()
    return email


def _mails(before: LockedAccount, email: str, key: str) -> Iterator[Mail]:
    yield Mail("email_changed", before.email, before.email_key, before.id)
    if registry.get(Settings).verification != "off":
        yield Mail("verification", email, key, before.id)
