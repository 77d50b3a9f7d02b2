"""POST /auth/refresh: another access token for a live session, and never another cookie."""

from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import takes_refresh_cookie
from authsvc.problems import (
    RateLimited,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRevoked,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.lifecycle import Sessions
from authsvc.tokens.access import AccessToken
from authsvc.web.outputs import answers
from authsvc.web.registry import component


@public
@takes_refresh_cookie
@answers(
    200,
    may=[
        RefreshTokenMissing,
        RefreshTokenInvalid,
        RefreshTokenExpired,
        RefreshTokenRevoked,
        RateLimited,
    ],
)
def refresh(refresh_tokens: list[str]) -> AccessToken:
    """Get another access token by the refresh cookie.

    It never sets a cookie, and nothing about the session is extended: any number of tabs and
    retries may refresh at once. The body is ignored, and may be absent.
    """
    sessions = component(Sessions)
    refresh_token = sessions.verify(_only_one(refresh_tokens))
    component(Throttle).refresh(refresh_token.claims.sid)
    return sessions.resume(refresh_token)


def _only_one(refresh_tokens: list[str]) -> str:
    if not refresh_tokens:
        raise RefreshTokenMissing
    if len(refresh_tokens) > 1:
        raise RefreshTokenInvalid
    return refresh_tokens[0]
