"""Decide what each mail of the outbox says, and who gets it, at the moment when it is sent.

A request that names only an address never looks the account up, so that it takes the same time for
every address. The sender does (`recipients.py`).
"""

from datetime import timedelta
from typing import cast

from sqlalchemy import ColumnElement, Connection, delete, select, update

from authsvc import clock
from authsvc.mail.letter import Letter, Link, Template
from authsvc.mail.outbox import Mail
from authsvc.tokens.jws import token_hash
from authsvc.tokens.one_time import OneTimeTokens, Purpose
from authsvc.users.model import User
from authsvc.users.one_time_tokens import (
    CHANGE_LIFE,
    INVITATION_LIFE,
    RESET_LIFE,
    VERIFICATION_LIFE,
    OneTimeToken,
    insert_token,
)
from authsvc.users.recipients import Recipient, find_recipient, recipient_of
from authsvc.users.voided_links import void_links


class Letters:
    """Writes the letters.

    Args:
        tokens: issues the tokens of their links.
    """

    def __init__(self, tokens: OneTimeTokens) -> None:
        self._tokens = tokens

    def letter(self, connection: Connection, mail: Mail) -> Letter | None:
        """Return what to send, or None if there is nothing to send any more.

        Args:
            connection: in the transaction that took the mail out of the outbox.
            mail: the mail.
        """
        match mail.kind:
            case "reset" | "invitation":
                return self._reset(connection, mail)
            case "verification":
                return self._verification(connection, mail)
            case "registration":
                return self._registration(connection, mail)
            case "resend":
                return self._resend(connection, mail)
            case "change":
                return self._change(connection, mail)
        return self._notice(connection, mail)

    def _reset(self, connection: Connection, mail: Mail) -> Letter | None:
        """Mail a link for a new password, and void the account's older ones."""
        user = recipient_of(connection, mail)
        if user is None or user.is_disabled:
            return None
        life = INVITATION_LIFE if mail.kind == "invitation" else RESET_LIFE
        link = self._newest_link(connection, "reset", mail, user, life)
        if link is None:
            return None
        template = cast(Template, mail.kind)
        return Letter(template, user.email, user.locale, link, user_id=user.id)

    def _change(self, connection: Connection, mail: Mail) -> Letter | None:
        """Mail a link to the new address."""
        user = recipient_of(connection, mail)
        if user is None or user.is_disabled:
            return None
        link = self._newest_link(connection, "change", mail, user, CHANGE_LIFE, to=mail)
        if link is None:
            return None
        return Letter("change", mail.email, user.locale, link, user_id=user.id)

    def _verification(self, connection: Connection, mail: Mail) -> Letter | None:
        """Mail a link that verifies the account's address, if it is still to be verified."""
        user = recipient_of(connection, mail)
        if user is None or user.is_disabled or user.is_verified:
            return None
        if user.email_key != mail.email_key:
            return None
        return self._verify(connection, _for(mail, user), user.locale)

    def _registration(self, connection: Connection, mail: Mail) -> Letter | None:
        """Mail a link to a registration that waits, or say that there is an account already."""
        waiting = _waiting(connection, OneTimeToken.id == mail.id)
        if waiting is None:
            return None
        user = find_recipient(connection, User.email_key == mail.email_key)
        if user is None:
            return self._verify(connection, *waiting)
        connection.execute(delete(OneTimeToken).where(OneTimeToken.id == mail.id))
        if user.is_disabled:
            return None
        return Letter("already_registered", user.email, user.locale, user_id=user.id)

    def _resend(self, connection: Connection, mail: Mail) -> Letter | None:
        """Mail the newest link that verifies this address again, or a new one to an account."""
        of_address = OneTimeToken.email_key == mail.email_key
        user = find_recipient(connection, User.email_key == mail.email_key)
        if user is None:
            waiting = _waiting(connection, of_address, OneTimeToken.user_id.is_(None))
        elif user.is_verified or user.is_disabled:
            waiting = None
        else:
            waiting = _waiting(connection, of_address, OneTimeToken.user_id == user.id)
            waiting = waiting or (_for(mail, user), user.locale)
        return None if waiting is None else self._verify(connection, *waiting)

    def _verify(self, connection: Connection, mail: Mail, locale: str | None) -> Letter | None:
        link = self._link(connection, "verification", mail, VERIFICATION_LIFE)
        if link is None:
            return None
        return Letter("verification", mail.email, locale, link, user_id=mail.user_id)

    def _notice(self, connection: Connection, mail: Mail) -> Letter | None:
        """Tell the owner what happened, at the address that the account had then."""
        user = recipient_of(connection, mail)
        if user is None:
            return None
        template = cast(Template, mail.kind)
        facts = mail.detail or {}
        return Letter(template, mail.email, user.locale, facts=facts, user_id=user.id)

    def _newest_link(
        self,
        connection: Connection,
        purpose: Purpose,
        mail: Mail,
        user: Recipient,
        life: timedelta,
        to: Mail | None = None,
    ) -> Link | None:
        """Return a link that voids the account's older ones; None if there is a newer one."""
        of_user = (OneTimeToken.user_id == user.id, OneTimeToken.purpose == purpose)
        newer = select(OneTimeToken.id).where(*of_user, OneTimeToken.id > mail.id).limit(1)
        if connection.execute(newer).first() is not None:
            return None
        void_links(connection, user.id, user.email_key, purpose, before=mail.id)
        return self._link(connection, purpose, _for(mail, user, to), life)

    def _link(
        self, connection: Connection, purpose: Purpose, mail: Mail, life: timedelta
    ) -> Link | None:
        """Return the mail's link: the same at each attempt, and it lives from now on.

        None if it was used already, because an earlier attempt was delivered after all.
        """
        expires_at = clock.now() + life
        row = connection.execute(
            update(OneTimeToken)
            .where(OneTimeToken.id == mail.id)
            .values(expires_at=expires_at)
            .returning(OneTimeToken.token_hash, OneTimeToken.used_at)
        ).one_or_none()
        if row is None:
            token = insert_token(connection, self._tokens, purpose, mail, expires_at)
            return Link(purpose, token, life)
        if row.used_at is not None:
            return None
        again = self._tokens.again(purpose, mail.id, row.token_hash)
        if again is None:  # the secret was replaced, and not kept as the previous one
            again = self._tokens.issue(purpose, mail.id)
            connection.execute(
                update(OneTimeToken)
                .where(OneTimeToken.id == mail.id)
                .values(token_hash=token_hash(again))
            )
        return Link(purpose, again, life)


def _waiting(connection: Connection, *which: ColumnElement[bool]) -> tuple[Mail, str | None] | None:
    """Return the newest verification that still waits, and its language."""
    row = connection.execute(
        select(OneTimeToken.__table__)
        .where(
            *which,
            OneTimeToken.purpose == "verification",
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > clock.now(),
        )
        .order_by(OneTimeToken.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Mail("verification", row.email, row.email_key, row.user_id, row.id), row.locale


def _for(mail: Mail, user: Recipient, to: Mail | None = None) -> Mail:
    """Return the mail with the account, and the address that it goes to."""
    address = to or user
    return Mail(mail.kind, address.email, address.email_key, user.id, mail.id)
