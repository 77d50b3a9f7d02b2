"""POST /auth/refresh: issue another access token for a live session, and never another cookie."""

from authsvc.guard.access_token import public
from authsvc.guard.device_headers import sent_marker
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    SESSION_REFUSED,
    DeviceProofMissing,
    RateLimited,
)
from authsvc.sessions.refresh import Refreshing, refresh_session
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
        *SESSION_REFUSED,
        DeviceProofMissing,
        RateLimited,
    ],
)
def refresh() -> AccessToken:
    """Get another access token for the session of the refresh cookie.

    A refresh never extends the session, and no response sets or clears a cookie, an error neither:
    any number of tabs and retries may refresh at the same time. The request needs no body, and a
    body is ignored. If the session is bound to a key, the request needs a proof of it; if it is
    bound to a device, the marker that the browser renews.
    """
    by = registry.get(Refreshing)
    refresh_token = by.tokens.verify(registry.get(RefreshCookie).only())
    proof = sent_proof(registry.get(OwnOrigin))
    marker = sent_marker() if by.devices.is_on else None
    return refresh_session(by, refresh_token, current_client(), proof, marker)
