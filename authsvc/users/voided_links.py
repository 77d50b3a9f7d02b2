"""Make links of an account worthless: those that were mailed, and those that wait in the outbox."""

from uuid import UUID

from sqlalchemy import Connection, and_, delete, or_, select, true

from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Kind
from authsvc.tokens.one_time import Purpose
from authsvc.users.model import User
from authsvc.users.one_time_tokens import OneTimeToken


def void_links(
    connection: Connection,
    user_id: UUID,
    email_key: str,
    *purposes: Purpose,
    before: UUID | None = None,
) -> None:
    """Make the account's links for these purposes worthless, those that are not sent yet too.

    Args:
        connection: in a transaction that has locked the account, unless `before` is given.
        user_id: the account.
        email_key: its address in canonical form. A request for a reset names only the address.
        purposes: `reset` includes invitations.
        before: the link that voids those that are older than it; by default all are voided.
    """
    # The outbox first: this waits for a sender that is making a link just now, and the second
    # statement then sees the row of that link.
    kinds = [kind for purpose in purposes for kind in _KINDS[purpose]]
    waiting = and_(WaitingMail.kind.in_(kinds), WaitingMail.user_id == user_id)
    if "reset" in purposes:
        asked = and_(WaitingMail.kind == "reset", WaitingMail.email_key == email_key)
        waiting = or_(waiting, asked)
    made = and_(OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes))
    for table, which in ((WaitingMail, waiting), (OneTimeToken, made)):
        older = true() if before is None else table.id < before
        connection.execute(delete(table).where(which, older))


def void_change(connection: Connection, user_id: UUID) -> None:
    """Make the account's links to another address worthless: see `void_links`."""
    void_links(connection, user_id, "", "change")  # a request for one names the account


def change_waits(connection: Connection, user_id: UUID, email_key: str) -> bool:
    """Return whether a link to this address of the account is mailed or will be, and not void."""
    mails = select(WaitingMail.id).where(
        WaitingMail.kind == "change",
        WaitingMail.user_id == user_id,
        WaitingMail.email_key == email_key,
    )
    links = select(OneTimeToken.id).where(
        OneTimeToken.purpose == "change",
        OneTimeToken.user_id == user_id,
        OneTimeToken.email_key == email_key,
        OneTimeToken.used_at.is_(None),
    )
    return connection.execute(mails.union_all(links).limit(1)).first() is not None


_KINDS: dict[Purpose, tuple[Kind, ...]] = {
    "reset": ("reset", "invitation"),
    "verification": ("verification",),
    "change": ("change",),
}


def forget_person(connection: Connection, user_id: UUID) -> None:
    """Remove the mails and links of an account, and those that name only its address: requests
    for mails, and registrations that wait.

    Args:
        connection: in the transaction that deletes the account, which has locked it.
        user_id: the account.
    """
    key = select(User.email_key).where(User.id == user_id).scalar_subquery()
    # The outbox first, as in `void_links`. The account goes last: a sender that makes a link for
    # it needs its row.
    for table in (WaitingMail, OneTimeToken):
        nameless = and_(table.user_id.is_(None), table.email_key == key)
        connection.execute(delete(table).where(or_(table.user_id == user_id, nameless)))
