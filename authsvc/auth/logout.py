"""POST /auth/logout: the session ends in the database, and then the cookie goes."""

from flask import Response

from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import clear_refresh_cookie, sent_refresh_tokens
from authsvc.sessions.lifecycle import Sessions


@public
def logout() -> Response:
    component(Sessions).end(sent_refresh_tokens())
    return clear_refresh_cookie(Response(status=204))
