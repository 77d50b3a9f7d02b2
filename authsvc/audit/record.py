"""Writing the audit trail: in the transaction of what is recorded, so that both happen or neither.

Nothing that a person typed is recorded: no e-mail address, no password, no token. A refusal
changes nothing, so it has no transaction to join and is one small write of its own.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import has_request_context
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.audit.model import Actor, Kind, SecurityEvent, first_id, new_ids
from authsvc.database import reading, writing
from authsvc.database.compiled import Command
from authsvc.web.inputs import remote_address, user_agent
from authsvc.web.log_context import hashed

REFUSALS_EVERY = timedelta(hours=1)
"""How often, at most, one session's refused refreshes are recorded: they cost whoever sends
them nothing, and must not fill the disk. The log has a line for each."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """What happened.

    Args:
        kind: which event.
        user_id: whose account it is about; None where there is none, or none any more.
        session: which session it is about; only a hash of its id is kept.
        detail: a word of our own, such as a problem's code, or the names of roles.
    """

    kind: Kind
    user_id: UUID | None
    session: UUID | None = None
    detail: str | None = None


def record(connection: Connection, *events: Event) -> None:
    """Write down what the transaction does. When and by whom is found out here."""
    at = clock.now()
    rows = [
        {
            "id": id,
            "at": at,
            "event": event.kind,
            "user_id": event.user_id,
            "session": hashed(event.session) if event.session else None,
            "detail": event.detail,
            **_origin(event.kind),
        }
        for id, event in zip(new_ids(at, len(events)), events, strict=True)
    ]
    _INSERT.run_for_each(connection, rows)


_INSERT = Command(insert(SecurityEvent))


def record_refusal(event: Event) -> None:
    """Write down that somebody was refused. The refusal stands where that cannot be done.

    Refused logins are counted and limited before they come here.
    """
    try:
        if event.session is None or not _recorded_lately(event, hashed(event.session)):
            with writing() as connection:
                record(connection, event)
    except SQLAlchemyError as error:
        _log.warning("%s was not recorded: %s", event.kind, error)


def _recorded_lately(event: Event, session: str) -> bool:
    query = select(SecurityEvent.id).where(
        SecurityEvent.user_id == event.user_id,
        SecurityEvent.id >= first_id(clock.now() - REFUSALS_EVERY),
        SecurityEvent.session == session,
        SecurityEvent.event == event.kind,
        SecurityEvent.detail == event.detail,
    )
    with reading() as connection:
        return connection.execute(query.limit(1)).first() is not None


def _origin(kind: Kind) -> dict[str, str | None]:
    """Who acts, and from where: outside a request it is an operator, by a command."""
    actor: Actor = "user" if has_request_context() else "operator"
    if actor == "operator" or kind == "account_deleted":  # of whom nothing is to be left
        return {"actor": actor, "ip_address": None, "user_agent": None}
    return {"actor": actor, "ip_address": remote_address(), "user_agent": user_agent()}
