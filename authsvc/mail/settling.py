"""Write the outcome of an attempt into the outbox, the log and the audit trail."""

import logging
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from authsvc import clock
from authsvc.audit.record import Actor, Event, record
from authsvc.mail import leases
from authsvc.mail.failures import Interrupted, MailBroken, MailNotSent, MailRefused
from authsvc.mail.leases import Leased
from authsvc.mail.observer import Observer
from authsvc.mail.retries import next_attempt
from authsvc.web.client import Client

_SERVICE = Actor("user", Client())
"""A user asked for the mail, some time ago; from where is in the event of the request."""

_log = logging.getLogger(__name__)


def settle(
    mail: Leased, failure: MailNotSent | None, user_id: UUID | None, observer: Observer
) -> None:
    """Remove a mail that was sent or is given up, and put back any other.

    Args:
        mail: the mail.
        failure: why it was not sent; None if it was, or if there was nothing to send.
        user_id: the account that it is about, if there is one.
        observer: counts what is given up or put back.

    Raises:
        SQLAlchemyError: the database does not answer.
    """
    now = clock.now()
    due_at = next_attempt(mail, now)
    if failure is None:
        leases.remove(mail)
    elif isinstance(failure, Interrupted):
        leases.put_back(mail, now)
    elif isinstance(failure, MailRefused) or due_at is None:
        _give_up(mail, failure, user_id)
        observer.failed(mail.kind)
    else:
        leases.put_back(mail, due_at)
        observer.put_back(mail.kind)
        _log.log(
            logging.ERROR if isinstance(failure, MailBroken) else logging.WARNING,
            "mail %s (%s) was not sent, and is tried again at %s: %s",
            mail.id,
            mail.kind,
            clock.rfc3339(due_at),
            failure,
        )


def _give_up(mail: Leased, failure: MailNotSent, user_id: UUID | None) -> None:
    detail = mail.kind if failure.code is None else f"{mail.kind} {failure.code}"

    def record_it(connection: Connection) -> None:
        event = Event("mail_failed", user_id, detail=detail)
        try:
            with connection.begin_nested():
                record(connection, _SERVICE, event)
        except IntegrityError:  # the account was deleted in the meantime
            pass

    if user_id is None:
        leases.remove(mail)
    else:
        leases.remove(mail, record_it)
    _log.warning("mail %s (%s) was given up: %s", mail.id, mail.kind, failure)
