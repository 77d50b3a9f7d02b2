"""GET /api/me/activity: list the security events of the account."""

from dataclasses import dataclass
from uuid import UUID

from authsvc.audit.read import newest
from authsvc.guard.access_token import current_access_token
from authsvc.resources.account import current_account
from authsvc.web.inputs import Query, takes_query
from authsvc.web.log_context import session_hash
from authsvc.web.outputs import Instant, answers

MAX_EVENTS = 100
"""Events in one response."""


class Page(Query):
    """Which events to list.

    Args:
        before: the id of an event; only older events are listed.
    """

    before: UUID | None = None


@dataclass(frozen=True)
class Happened:
    """A security event of the account.

    Args:
        id: the event's id; pass it as `before` to list older events.
        event: the kind of event.
        at: when it happened.
        actor: `user` or `operator`.
        ip_address: the network address of the request, if there was one.
        user_agent: the User-Agent header of the request, if there was one.
        detail: a stable word about the event, such as an error's code.
        current: whether the session of this request caused it.
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
    """Security events of the account.

    Args:
        events: the events, newest first.
    """

    events: list[Happened]


@takes_query(Page)
@answers(200, operation_id="activity_show_activity")
def show_activity(query: Page) -> Activity:
    """List the security events of the account, newest first.

    A response has at most a hundred events. Pass the id of the last one as `before` to get the
    next page.
    """
    account = current_account()
    this_session = session_hash(current_access_token().sid)
    return Activity(
        [
            Happened(
                id=event.id,
                event=event.event,
                at=event.at,
                actor=event.actor,
                ip_address=event.ip_address,
                user_agent=event.user_agent,
                detail=event.detail,
                current=event.session == this_session,
            )
            for event in newest(MAX_EVENTS, user_id=account.id, before=query.before)
        ]
    )
