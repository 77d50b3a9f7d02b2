"""Write the audit trail, in the transaction of what is recorded: both are committed, or neither.

What a client sent is never recorded: not an e-mail address, a password or a token. A refusal
changes nothing, so it has no transaction to join and is written in one of its own.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.audit.kinds import Kind
from authsvc.audit.model import ActorKind, SecurityEvent, first_id, new_ids
from authsvc.database import reading, transaction
from authsvc.database.compiled import Command
from authsvc.web.client import Client
from authsvc.web.log_context import session_hash

REFUSALS_EVERY = timedelta(hours=1)
"""A session's refused refreshes are recorded once in this time. They cost the client nothing, so
they could fill the disk. The log has a line for each."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Actor:
    """Who causes an event.

    Args:
        kind: a user, by a request, or an operator, by a command.
        client: where the request came from; empty for an operator, and after a deletion.
        operator: the operator's name on the machine; None for a user, and if it is not known.
    """

    kind: ActorKind
    client: Client
    operator: str | None = None


OPERATOR = Actor("operator", Client())
"""An operator without a name: a program that calls these functions."""

FORGOTTEN_USER = Actor("user", Client())
"""A user who deleted their account, so that nothing about them may be kept."""


def user_at(client: Client) -> Actor:
    """Return the actor of a request from that client."""
    return Actor("user", client)


@dataclass(frozen=True)
class Event:
    """What happened.

    Args:
        kind: which event.
        user_id: the account; None if there is no account, or it was deleted.
        session: the session; only a hash of its id is stored.
        detail: a fixed word, such as the code of a problem, or names of roles.
    """

    kind: Kind
    user_id: UUID | None
    session: UUID | None = None
    detail: str | None = None


def record(
    connection: Connection, actor: Actor, *events: Event, at: datetime | None = None
) -> None:
    """Add events to the audit trail, in the connection's transaction.

    Args:
        connection: of the transaction that does what is recorded.
        actor: the cause of the events.
        events: in the order in which they happened.
        at: when they happened; by default now.
    """
    at = at or clock.now()
    rows = [
        {
            "id": id,
            "at": at,
            "event": event.kind,
            "user_id": event.user_id,
            "session": session_hash(event.session) if event.session else None,
            "detail": event.detail,
            "actor": actor.kind,
            "ip_address": actor.client.ip_address,
            "user_agent": actor.client.user_agent,
            "operator": actor.operator,
        }
        for id, event in zip(new_ids(at, len(events)), events, strict=True)
    ]
    _INSERT.run_for_each(connection, rows)


_INSERT = Command(insert(SecurityEvent))


def record_refusal(actor: Actor, event: Event, at: datetime | None = None) -> None:
    """Record a refusal in a transaction of its own. If that fails, log it and go on.

    Refused logins are counted and limited before this is called.

    Args:
        actor: the cause of the event.
        event: what was refused; of a session, at most one of a kind and detail in an hour.
        at: when; by default now.
    """
    with failures_logged(event):
        if not is_recorded(event):
            transaction(lambda connection: record(connection, actor, event, at=at))


@contextmanager
def failures_logged(event: Event) -> Iterator[None]:
    """Log that the event was not recorded, if the database fails, and go on."""
    try:
        yield
    except SQLAlchemyError as error:
        _log.warning("%s was not recorded: %s", event.kind, error)


def is_recorded(event: Event, connection: Connection | None = None) -> bool:
    """Return whether the session had an event of this kind and detail in the last hour.

    Args:
        event: False if it is not of a session.
        connection: in a transaction that has locked the account; by default one of its own.
    """
    if event.session is None:
        return False
    query = _lately(event).where(SecurityEvent.session == session_hash(event.session)).limit(1)
    with reading() if connection is None else nullcontext(connection) as connection:
        return connection.execute(query).first() is not None


def lately(event: Event, connection: Connection) -> int:
    """Return how many sessions of the account had an event of this kind and detail in an hour.

    Args:
        event: an event of the account.
        connection: in a transaction that has locked the account.
    """
    return len(connection.execute(_lately(event)).all())


def _lately(event: Event) -> Select[UUID]:
    return select(SecurityEvent.id).where(
        SecurityEvent.user_id == event.user_id,
        SecurityEvent.id >= first_id(clock.now() - REFUSALS_EVERY),
        SecurityEvent.event == event.kind,
        SecurityEvent.detail == event.detail,
    )
