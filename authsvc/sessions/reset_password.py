"""Reset a password by the link of a mail, and revoke every session of the account."""

from uuid import UUID

from sqlalchemy import Connection, Select, func, select, update

from authsvc import clock, signals
from authsvc.audit.record import Event, record, user_at
from authsvc.database import reading, transaction
from authsvc.mail.outbox import Outbox
from authsvc.problems import TokenInvalid
from authsvc.sessions.revoke import revoke_sessions
from authsvc.users.model import User
from authsvc.users.one_time_tokens import FoundToken, use
from authsvc.users.password_news import void_links_and_tell
from authsvc.web.client import Client


def account_of(token: FoundToken) -> tuple[UUID, str]:
    """Return the id and the address of the account whose password the token can reset.

    Raises:
        TokenInvalid: the account is deleted or disabled, or has another address by now.
    """
    with reading() as connection:
        return _found(connection, _account(token))


def reset_password(token: FoundToken, new_hash: str, outbox: Outbox, client: Client) -> None:
    """Use the token: store the new password, and revoke every session of the account.

    The address counts as verified, since the link was mailed to it, or an operator vouched for the
    owner: see `users reset --print`.

    Args:
        token: the row of the token.
        new_hash: the hash of the new password.
        outbox: takes the mail that tells the owner.
        client: where the request came from.

    Raises:
        TokenInvalid: the token was used or voided meanwhile, or `account_of` would raise it.
    """

    def reset(connection: Connection) -> tuple[UUID, list[UUID]]:
        user_id, email = _found(connection, _account(token).with_for_update(key_share=True))
        now = clock.now()
        if not use(connection, token.id, now):
            raise TokenInvalid
        verified_at = func.coalesce(User.email_verified_at, now)
        values = {"password_hash": new_hash, "email_verified_at": verified_at}
        connection.execute(update(User).where(User.id == user_id).values(values))
        revoked = revoke_sessions(connection, user_id, now)
        void_links_and_tell(connection, outbox, "password_reset", user_id, email, token.email_key)
        events = (Event("session_revoked", user_id, sid) for sid in revoked)
        record(connection, user_at(client), Event("password_reset", user_id), *events, at=now)
        return user_id, revoked

    user_id, revoked = transaction(reset)
    outbox.wake()
    signals.send(signals.password_changed, user_id=user_id)
    signals.send_ended([(sid, user_id) for sid in revoked], "password_changed")


def _account(token: FoundToken) -> Select[UUID, str]:
    return select(User.id, User.email).where(
        User.id == token.user_id,
        User.email_key == token.email_key,
        User.disabled_at.is_(None),
    )


def _found(connection: Connection, account: Select[UUID, str]) -> tuple[UUID, str]:
    row = connection.execute(account).one_or_none()
    if row is None:
        raise TokenInvalid
    return row.id, row.email
