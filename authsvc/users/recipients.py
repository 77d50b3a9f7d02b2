"""The accounts that mails are for, looked up when a mail is sent."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from authsvc.mail.outbox import Mail
from authsvc.users.model import User


@dataclass(frozen=True)
class Recipient:
    """The account that a mail is for."""

    id: UUID
    email: str
    email_key: str
    locale: str | None
    is_verified: bool
    is_disabled: bool


def recipient_of(connection: Connection, mail: Mail) -> Recipient | None:
    """Return the account of a mail: by its id, or by the address that a request named."""
    if mail.user_id is not None:
        return find_recipient(connection, User.id == mail.user_id)
    return find_recipient(connection, User.email_key == mail.email_key)


def find_recipient(connection: Connection, where: ColumnElement[bool]) -> Recipient | None:
    """Return the account that the condition selects, or None."""
    row = connection.execute(
        select(
            User.id,
            User.email,
            User.email_key,
            User.locale,
            User.email_verified_at.is_not(None),
            User.disabled_at.is_not(None),
        ).where(where)
    ).one_or_none()
    return None if row is None else Recipient(*row)
