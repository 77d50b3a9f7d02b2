"""The table of one-time tokens, and what is done with its rows within a transaction."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import clock
from authsvc.database import Base, UTCDateTime, reading
from authsvc.database.purging import ExpiredRows
from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Mail
from authsvc.problems import TokenInvalid
from authsvc.tokens.jws import token_hash
from authsvc.tokens.one_time import OneTimeTokens, Purpose
from authsvc.web.inputs import Text

RESET_LIFE = timedelta(minutes=30)
INVITATION_LIFE = timedelta(days=7)
VERIFICATION_LIFE = timedelta(hours=24)
CHANGE_LIFE = timedelta(hours=1)
"""How long a link works, counted from the attempt to send it."""

LinkToken = Annotated[Text, Field(examples=["Zm9yIGV4YW1wbGUgb25seS4gTm8gbGluayBoYXMgdGhpcw"])]
"""The token of a link, in a body."""


class OneTimeToken(Base):
    """A link that was mailed, or will be.

    A row without an account is a registration that waits for its address to be proved: it has the
    hash of the password that was chosen.
    """

    __tablename__ = "one_time_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str]
    email_key: Mapped[str]
    password_hash: Mapped[str | None]
    locale: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (Index(None, "user_id"), Index(None, "email_key"), Index(None, "expires_at"))


@dataclass(frozen=True)
class FoundToken:
    """The row of a token that a client sent.

    Args:
        id: of the row.
        user_id: the account; None if it is a registration that waits.
        email: the address that the link was mailed to, and that it proves.
        email_key: its canonical form.
        password_hash: of the registration; None once it has become an account.
        locale: the language of the registration.
        used_at: when it was used.
    """

    id: UUID
    user_id: UUID | None
    email: str
    email_key: str
    password_hash: str | None
    locale: str | None
    used_at: datetime | None


def find(purpose: Purpose, token: str) -> FoundToken:
    """Return the row of a token that has not expired; a verification may be used already.

    Raises:
        TokenInvalid: there is no such token, it has expired, or it was used.
    """
    columns = (getattr(OneTimeToken, field.name) for field in fields(FoundToken))
    query = select(*columns).where(
        OneTimeToken.token_hash == token_hash(token),
        OneTimeToken.purpose == purpose,
        OneTimeToken.expires_at > clock.now(),
    )
    if purpose != "verification":
        query = query.where(OneTimeToken.used_at.is_(None))
    with reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise TokenInvalid
    return FoundToken(*row)


def use(connection: Connection, id: UUID, now: datetime) -> bool:
    """Mark a token as used, and return whether this call did: it exists and was not used before.

    This conditional UPDATE is the check: of two requests with one token, one returns True.
    """
    # It was delivered, so the outbox must not send it once more and make the token anew. This comes
    # first, since the sender locks the two rows in this order.
    connection.execute(delete(WaitingMail).where(WaitingMail.id == id))
    used = connection.execute(
        update(OneTimeToken)
        .where(OneTimeToken.id == id, OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > now)
        .values(used_at=now)
        .returning(OneTimeToken.id)
    )
    return used.one_or_none() is not None


def insert_token(
    connection: Connection,
    tokens: OneTimeTokens,
    purpose: Purpose,
    mail: Mail,
    expires_at: datetime,
    *,
    password_hash: str | None = None,
    locale: str | None = None,
) -> str:
    """Insert the row of the link that a mail carries, and return its token.

    Args:
        connection: in a transaction.
        tokens: issues the token.
        purpose: what the token is for.
        mail: has the id of the row, the account and the address.
        expires_at: when it stops working.
        password_hash: of a registration that waits.
        locale: of a registration that waits.
    """
    token = tokens.issue(purpose, mail.id)
    row = {
        "id": mail.id,
        "purpose": purpose,
        "token_hash": token_hash(token),
        "user_id": mail.user_id,
        "email": mail.email,
        "email_key": mail.email_key,
        "password_hash": password_hash,
        "locale": locale,
        "expires_at": expires_at,
        "used_at": None,
    }
    connection.execute(insert(OneTimeToken), row)
    return token


def purge_a_little() -> None:
    """Remove a few expired rows: see `ExpiredRows.remove_a_little`."""
    _EXPIRED.remove_a_little(clock.now())


_EXPIRED = ExpiredRows(
    OneTimeToken.id,
    select(OneTimeToken.id)
    .where(OneTimeToken.expires_at <= bindparam("before"))
    .order_by(OneTimeToken.expires_at),
    at_least=1,  # no command removes them, and a small service never has a whole batch
)
