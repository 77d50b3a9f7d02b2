"""Read the audit trail, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id
from authsvc.database import reading

SIGNS_OF_THEFT = (
    "dpop_proof_missing",
    "dpop_proof_invalid",
    "device_proof_missing",
    "refresh_token_invalid",
)
"""Refusals that a copied cookie or a copied secret causes. A refresh of a session that has ended is
not one of them: each browser that was logged out from another device sends one."""

COPIED_PASSKEY = "sign_count_went_back"
"""The detail of a refused passkey that has counted fewer uses than before: there may be a copy of
it (WebAuthn level 3, section 7.2, step 22)."""


@dataclass(frozen=True)
class Recorded:
    """An event, as it was recorded: see `record.Event`."""

    id: UUID
    at: datetime
    event: str
    user_id: UUID | None
    session: str | None
    actor: str
    ip_address: str | None
    user_agent: str | None
    detail: str | None
    operator: str | None

    def json(self) -> dict[str, Any]:
        """Return the members that `authsvc audit --json` shows."""
        return {
            "id": str(self.id),
            "event": self.event,
            "at": clock.rfc3339(self.at),
            "actor": self.actor,
            "operator": self.operator,
            "ip_address": self.ip_address,
            "user_agent": self.user_agent,
            "detail": self.detail,
        }


def newest(
    limit: int,
    *,
    user_id: UUID | None = None,
    kinds: Sequence[str] = (),
    suspicious: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
) -> list[Recorded]:
    """Return the newest events, newest first.

    Args:
        limit: the maximum number of events.
        user_id: only events of this account.
        kinds: only events of these kinds.
        suspicious: only signs of theft.
        since: only events at or after this instant.
        until: only events before this instant.
        before: only events older than the event with this id.
    """
    id = SecurityEvent.id
    wanted = [
        None if user_id is None else SecurityEvent.user_id == user_id,
        SecurityEvent.event.in_(kinds) if kinds else None,
        _is_sign_of_theft() if suspicious else None,
        None if since is None else id >= first_id(since),
        None if until is None else id < first_id(until),
        None if before is None else id < before,
    ]
    query = (
        select(*SecurityEvent.__table__.columns)
        .where(*(condition for condition in wanted if condition is not None))
        .order_by(id.desc())
        .limit(limit)
    )
    with reading() as connection:
        return [Recorded(**row) for row in connection.execute(query).mappings()]


def _is_sign_of_theft() -> ColumnElement[bool]:
    refresh = SecurityEvent.event == "refresh_refused"
    authentication = SecurityEvent.event.in_(("login_refused", "reauthentication_refused"))
    return or_(
        SecurityEvent.event == "suspicious_use",
        refresh & SecurityEvent.detail.in_(SIGNS_OF_THEFT),
        authentication & (SecurityEvent.detail == COPIED_PASSKEY),
    )
