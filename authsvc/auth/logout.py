"""POST /auth/logout: revoke the session in the database, then clear the cookie."""

from flask import after_this_request

from authsvc.audit.record import user_at
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import COOKIE_CLEARED, RefreshCookie, takes_refresh_cookie
from authsvc.sessions.log_out import log_out
from authsvc.sessions.tokens import SessionTokens
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.outputs import answers


@public
@takes_refresh_cookie
@answers(204, headers=COOKIE_CLEARED)
def logout() -> None:
    """Log out: revoke the session of the refresh cookie and clear the cookie.

    When the client has the 204, the session is revoked in the database: its refresh token is
    refused at once, and its access tokens within a second. If there is no session to revoke, the
    response is the same. A 503 means that the session is not revoked and the cookie stays: try
    again.
    """
    cookie = registry.get(RefreshCookie)
    log_out(registry.get(SessionTokens), cookie.sent(), user_at(current_client()))
    after_this_request(cookie.clear)
