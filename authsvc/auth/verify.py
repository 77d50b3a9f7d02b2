"""GET /auth/verify: a proxy asks whether the request that it holds bears a valid access token."""

from flask import Response

from authsvc.guard.access_token import current_access_token


def verify() -> Response:
    """Not `@public`: the guard answers whatever is no valid token."""
    claims = current_access_token()
    headers = {"X-Auth-Subject": str(claims.sub), "X-Auth-Session": str(claims.sid)}
    return Response(status=204, headers=headers)
