"""GET /auth/verify: a proxy asks whether the request it forwards has a valid access token."""

from flask import Response

from authsvc.guard.access_token import current_access_token
from authsvc.web.outputs import answers

SUBJECT, SESSION = "X-Auth-Subject", "X-Auth-Session"


@answers(204, headers={SUBJECT: "The id of the account.", SESSION: "The id of the session."})
def verify() -> Response:
    """Return whether the request's access token is valid, for a proxy.

    nginx's `auth_request`, Traefik's `forwardAuth` and similar directives call it. The token is
    sent as to any protected route.
    """
    claims = current_access_token()
    return Response(status=204, headers={SUBJECT: str(claims.sub), SESSION: str(claims.sid)})
