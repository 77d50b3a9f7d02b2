"""GET /api/me/activity: what happened to my account."""

from dataclasses import dataclass
from uuid import UUID

from authsvc.audit.read import newest
from authsvc.guard.access_token import current_access_token
from authsvc.web.inputs import Query, takes_query
from authsvc.web.log_context import session_hash
from authsvc.web.outputs import Instant, answers

MOST = 100
"""Events in one answer."""


class Older(Query):
    """Which events.

    Args:
        before: the id of an event: only older ones are shown.
    """

    before: UUID | None = None


@dataclass(frozen=True)
class Happened:
    """Something that happened to the account.

    Args:
        id: by which older ones can be asked for.
        event: what happened.
        at: when.
        actor: by whom.
        ip_address: from where.
        user_agent: by what browser.
        detail: a word more about it.
        current: whether it was done in this very session.
    """

    id: UUID
    event: str
    at: Instant
    actor: str
    ip_address: str | None
    user_agent: str | None
    detail: str | None
    current: bool


@dataclass(frozen=True)
class Activity:
    """What happened to the account.

    Args:
        events: newest first.
    """

    events: list[Happened]


@takes_query(Older)
@answers(200, operation_id="activity_show_activity")
def show_activity(query: Older) -> Activity:
    """List what happened to the account, newest first.

    At most a hundred events are shown: with `before` and the id of the last one, those before it.
    """
    token = current_access_token()
    this_session = session_hash(token.sid)
    return Activity(
        [
            Happened(
                id=told.id,
                event=told.event,
                at=told.at,
                actor=told.actor,
                ip_address=told.ip_address,
                user_agent=told.user_agent,
                detail=told.detail,
                current=told.session == this_session,
            )
            for told in newest(MOST, user_id=token.sub, before=query.before)
        ]
    )
