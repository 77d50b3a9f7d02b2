"""POST /auth/refresh: issue another access token for a live session, and never another cookie."""

from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    DpopProofInvalid,
    DpopProofMissing,
    RateLimited,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRevoked,
    UseDpopNonce,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.binding import Binding
from authsvc.sessions.refresh import Refreshing, refresh_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.access import AccessToken
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.outputs import answers


@public
@takes_refresh_cookie
@takes_proof
@answers(
    200,
    may=[
        RefreshTokenMissing,
        RefreshTokenInvalid,
        RefreshTokenExpired,
        RefreshTokenRevoked,
        DpopProofMissing,
        DpopProofInvalid,
        UseDpopNonce,
        RateLimited,
    ],
)
def refresh() -> AccessToken:
    """Get another access token for the session of the refresh cookie.

    A refresh never extends the session, and no response sets or clears a cookie, an error neither:
    any number of tabs and retries may refresh at the same time. The request needs no body, and a
    body is ignored. If the session is bound to a key, the request needs a proof of it.
    """
    tokens = registry.get(SessionTokens)
    refresh_token = tokens.verify(registry.get(RefreshCookie).only())
    by = Refreshing(tokens, registry.get(Binding), registry.get(Throttle))
    proof = sent_proof(registry.get(OwnOrigin))
    return refresh_session(by, refresh_token, current_client(), proof)
