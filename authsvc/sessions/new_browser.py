"""Mail the owner of an account when a browser logs in that is new to the account."""

import logging
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc.audit.model import SecurityEvent
from authsvc.database import reading, transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import ServiceUnavailable
from authsvc.ratelimit.mail_limits import MailLimits
from authsvc.users.model import User
from authsvc.web.browsers import Browser, browser_of
from authsvc.web.client import Client
from authsvc.web.log_context import session_hash

REMEMBERED = 1_000
"""How many logins of an account are compared with a new one, so that the query stays short."""

_log = logging.getLogger(__name__)


def report_new_browser(
    outbox: Outbox, limits: MailLimits, user_id: UUID, session_id: UUID, client: Client
) -> None:
    """Put a mail into the outbox if the account's earlier logins were by other browsers.

    Browsers are compared by family and system, so that a new version is not a new browser. The
    first login of an account sends nothing. A failure is logged and not raised.

    Args:
        outbox: where the mail is put.
        limits: allows a few such mails an hour.
        user_id: the account.
        session_id: the session that the login opened.
        client: the address and browser of the login.
    """
    browser = browser_of(client.user_agent)
    try:
        earlier = _earlier_browsers(user_id, session_id)
        if earlier and browser not in earlier and limits.notice("new_login", user_id):
            _add(outbox, user_id, browser, client.ip_address)
            outbox.wake()
    except (SQLAlchemyError, ServiceUnavailable) as error:
        _log.warning("no mail about a login by a new browser was stored: %s", error)


def _earlier_browsers(user_id: UUID, session_id: UUID) -> set[Browser]:
    """Return the browsers of the logins before this one; of two at once, one is the earlier."""
    logins = (SecurityEvent.user_id == user_id, SecurityEvent.event == "logged_in")
    newest_first = SecurityEvent.id.desc()
    this = (
        select(SecurityEvent.id)
        .where(*logins, SecurityEvent.session == session_hash(session_id))
        .order_by(newest_first)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(SecurityEvent.user_agent)
        .where(*logins, SecurityEvent.id < this)
        .order_by(newest_first)
        .limit(REMEMBERED)
    )
    with reading() as connection:
        return {browser_of(user_agent) for user_agent in set(connection.execute(query).scalars())}


def _add(outbox: Outbox, user_id: UUID, browser: Browser, ip_address: str | None) -> None:
    detail = {"browser": browser.family, "system": browser.system, "ip_address": ip_address or ""}
    address = select(User.email, User.email_key).where(User.id == user_id)

    def add(connection: Connection) -> None:
        for email, key in connection.execute(address):
            outbox.add(connection, Mail("new_login", email, key, user_id, detail=detail))

    transaction(add)
