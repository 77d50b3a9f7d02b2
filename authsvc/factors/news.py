"""Mail the owner of an account what happened to its factors."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, select

from authsvc.mail.outbox import Mail, Outbox
from authsvc.users.model import User

News = Literal["factor_added", "factor_removed", "recovery_codes_replaced", "recovery_code_used"]


def tell(
    connection: Connection,
    outbox: Outbox,
    news: News,
    user_id: UUID,
    detail: Mapping[str, str] | None = None,
) -> None:
    """Put a mail to the owner into the outbox. Without mail, this executes no statement.

    Call `outbox.wake` after the commit.

    Args:
        connection: in the transaction of what happened.
        outbox: takes the mail.
        news: what happened.
        user_id: the account.
        detail: what the mail says besides, such as which factor.
    """
    if not outbox.is_on:
        return
    query = select(User.email, User.email_key).where(User.id == user_id)
    email, email_key = connection.execute(query).one()
    outbox.add(connection, Mail(news, email, email_key, user_id, detail=detail))
