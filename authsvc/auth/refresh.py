"""POST /auth/refresh: issue another access token for a live session, and never another cookie."""

from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    RateLimited,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRevoked,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.refresh import refresh_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.access import AccessToken
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.outputs import answers


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
def refresh() -> AccessToken:
    """Get another access token for the session of the refresh cookie.

    A refresh never extends the session, and no response sets or clears a cookie, an error neither:
    any number of tabs and retries may refresh at the same time. The request needs no body, and a
    body is ignored.
    """
    tokens = registry.get(SessionTokens)
    refresh_token = tokens.verify(registry.get(RefreshCookie).only())
    registry.get(Throttle).refresh(refresh_token.claims.sid)
    return refresh_session(tokens, refresh_token, current_client())
