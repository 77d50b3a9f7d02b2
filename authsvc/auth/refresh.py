"""POST /auth/refresh: another access token for a live session, and never another cookie."""

from typing import Any

from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import sent_refresh_tokens
from authsvc.guard.throttle import Throttle
from authsvc.problems import RefreshTokenInvalid, RefreshTokenMissing
from authsvc.sessions.lifecycle import Sessions


@public
def refresh() -> dict[str, Any]:
    sessions = component(Sessions)
    refresh_token = sessions.verify(_one_refresh_token())
    component(Throttle).refresh(refresh_token.claims.sid)
    return sessions.resume(refresh_token).json()


def _one_refresh_token() -> str:
    sent = sent_refresh_tokens()
    if not sent:
        raise RefreshTokenMissing
    if len(sent) > 1:
        raise RefreshTokenInvalid
    return sent[0]
