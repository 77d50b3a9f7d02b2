"""What follows from a new password: mailed links are void, and the owner gets a notice."""

from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from authsvc.mail.outbox import Mail, Outbox
from authsvc.users.voided_links import void_links


def void_links_and_tell(
    connection: Connection,
    outbox: Outbox,
    kind: Literal["password_changed", "password_reset"],
    user_id: UUID,
    email: str,
    email_key: str,
) -> None:
    """Void the account's links for a new password or address, and mail the owner what happened.

    Without mail there are no such links, and this executes no statement. Call `outbox.wake` after
    the commit.

    Args:
        connection: in a transaction that has locked the account.
        outbox: takes the mail.
        kind: what happened.
        user_id: the account.
        email: its address, as stored.
        email_key: the canonical form of the address.
    """
    if outbox.is_on:
        void_links(connection, user_id, email_key, "reset", "change")
        outbox.add(connection, Mail(kind, email, email_key, user_id))
