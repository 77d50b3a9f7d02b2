"""Links with which the owner of an account sets a password, so that no operator knows it."""

from typing import Literal

from sqlalchemy import Connection

from authsvc import clock
from authsvc.admin.lookup import LockedAccount, Refused
from authsvc.mail.letter import Link
from authsvc.mail.outbox import Mail, Outbox
from authsvc.settings import Settings
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.users.one_time_tokens import INVITATION_LIFE, RESET_LIFE, insert_token
from authsvc.users.voided_links import void_links
from authsvc.web import registry

Kind = Literal["reset", "invitation"]

MAIL_SETTINGS = "AUTHSVC_MAIL_URL, AUTHSVC_MAIL_FROM and AUTHSVC_APP_URL (docs/recovery.md)"

LIFE = {"reset": RESET_LIFE, "invitation": INVITATION_LIFE}


def can_make_links() -> bool:
    """Return whether the service sends mail: without it, links lead nowhere."""
    return registry.get(Outbox).is_on


def refuse_without_mail(instead: str) -> None:
    """Refuse to make a link if the service sends no mail.

    Args:
        instead: what the operator can do then.

    Raises:
        Refused: mail is not configured.
    """
    if not can_make_links():
        raise Refused(
            "This service sends no mail, and so has no links for a new password. Set "
            f"{MAIL_SETTINGS}, or {instead}."
        )


def mail_link(connection: Connection, account: LockedAccount, kind: Kind) -> None:
    """Put the mail with the link into the outbox. Sending it voids the account's older links.

    Call the outbox's `wake` after the commit.
    """
    mail = Mail(kind, account.email, account.email_key, account.id)
    registry.get(Outbox).add(connection, mail)


def new_url(connection: Connection, account: LockedAccount, kind: Kind) -> str:
    """Return the URL of a new link, and void the account's older ones."""
    void_links(connection, account.id, account.email_key, "reset")
    mail = Mail(kind, account.email, account.email_key, account.id)
    tokens, expires_at = registry.get(OneTimeTokens), clock.now() + LIFE[kind]
    token = insert_token(connection, tokens, "reset", mail, expires_at)
    return Link("reset", token, LIFE[kind]).url(registry.get(Settings).app_url or "")
