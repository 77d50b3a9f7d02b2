"""POST /auth/logout: the session ends in the database, and then the cookie goes."""

from flask import after_this_request

from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import (
    COOKIE_CLEARED,
    clear_refresh_cookie,
    takes_refresh_cookie,
)
from authsvc.sessions.lifecycle import Sessions
from authsvc.web.outputs import answers
from authsvc.web.registry import component


@public
@takes_refresh_cookie
@answers(204, headers=COOKIE_CLEARED)
def logout(refresh_tokens: list[str]) -> None:
    """End the session of the refresh cookie.

    When the answer is there, the session is gone from the database: its refresh token is refused
    at once, and its access tokens within a second. Where nothing is left to end, the answer is
    the same. A 503 means that it did not happen, and the cookie stays: try again.
    """
    component(Sessions).end(refresh_tokens)
    after_this_request(clear_refresh_cookie)
