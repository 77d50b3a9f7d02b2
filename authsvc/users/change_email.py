"""Give an account the address that the link of a mail has proved."""

from sqlalchemy import Connection, select

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import TokenInvalid
from authsvc.users import accounts
from authsvc.users.model import User
from authsvc.users.one_time_tokens import FoundToken, use
from authsvc.users.voided_links import void_links
from authsvc.web.client import Client


def change_email(token: FoundToken, outbox: Outbox, client: Client) -> None:
    """Use the token: give the account the address that the link was mailed to, as verified.

    Sessions stay. Links for a new password, which went to the old address, are void.

    Args:
        token: the row of the token.
        outbox: takes the mail that tells the owner, at the old address.
        client: where the request came from.

    Raises:
        TokenInvalid: the token was used or voided meanwhile, or the account is disabled.
        EmailTaken: another account has the address; the token stays unused.
    """

    def change(connection: Connection) -> None:
        account = connection.execute(
            select(User.id, User.email, User.email_key)
            .where(User.id == token.user_id, User.disabled_at.is_(None))
            .with_for_update(key_share=True)
        ).one_or_none()
        now = clock.now()
        if account is None or not use(connection, token.id, now):
            raise TokenInvalid
        # Before the key is changed: a sender that has one of these mails needs the account's row.
        void_links(connection, account.id, account.email_key, "reset")
        accounts.replace_email(connection, account.id, token.email, token.email_key, now)
        notice = Mail("email_changed", account.email, account.email_key, account.id)
        outbox.add(connection, notice)
        record(connection, user_at(client), Event("email_changed", account.id), at=now)

    transaction(change)
    outbox.wake()
