"""POST /auth/introspect: is this access token valid now, and what does it say (RFC 7662)?"""

from typing import Any

from authsvc import clock
from authsvc.components import component
from authsvc.guard.access_token import AccessTokenGuard, public
from authsvc.requests import Body, Text, takes
from authsvc.sessions.standing import is_in_force
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid


class Introspection(Body):
    access_token: Text


@public
@takes(Introspection)
def introspect(body: Introspection) -> dict[str, Any]:
    claims = _valid(body.access_token)
    if claims is None or not is_in_force(claims.sid, claims.sub):
        return {"active": False}
    return {"active": True, "token_type": "Bearer", **claims.payload()}


def _valid(token: str) -> Claims | None:
    try:
        claims = component(AccessTokenGuard).verify(token)
    except (TokenExpired, TokenInvalid):
        return None
    # No leeway: the clock that set its end is the one that is read here.
    return claims if claims.exp > clock.now().timestamp() else None
