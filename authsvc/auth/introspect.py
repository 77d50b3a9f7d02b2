"""POST /auth/introspect: is this access token valid now, and what does it say (RFC 7662)?"""

from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic asks for these before Python 3.12
    cast,
)

from pydantic import Field
from typing_extensions import TypedDict

from authsvc import clock
from authsvc.guard.access_token import AccessTokenGuard, public
from authsvc.roles import Roles
from authsvc.sessions.lookup import is_in_force
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.web import registry
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers


class Introspection(Body):
    """What is asked about.

    Args:
        access_token: the token's text, as a client sent it.
    """

    access_token: Annotated[Text, Field(examples=["eyJhbGciOiJIUzI1NiIs..."])]


class Active(TypedDict):
    """What a token says that is valid now (RFC 7662 section 2.2).

    Args:
        active: whether the token is valid.
        token_type: how it is sent.
        iss: who issued it.
        sub: the id of the account.
        aud: for whom it is.
        exp: when it ends, in seconds since 1970.
        iat: when it was issued, in the same.
        jti: the token's own id.
        sid: the id of the session.
        auth_time: when its owner logged in, in the same.
        roles: the roles of the account; absent where it has none.
    """

    active: Literal[True]
    token_type: Literal["Bearer"]
    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    sid: str
    auth_time: int
    roles: NotRequired[Roles]


class Inactive(TypedDict):
    """That a token is not valid now; why is not told.

    Args:
        active: whether the token is valid.
    """

    active: Literal[False]


@public
@takes(Introspection)
@answers(200)
def introspect(body: Introspection) -> Active | Inactive:
    """Ask whether an access token is valid now, and what it says.

    A token whose session has ended is not valid. Answered from the database, so that it holds at
    this very moment (RFC 7662).
    """
    claims = _valid(body.access_token)
    if claims is None or not is_in_force(claims.sid, claims.sub):
        return {"active": False}
    return cast(Active, {"active": True, "token_type": "Bearer", **claims.payload()})


def _valid(token: str) -> Claims | None:
    try:
        claims = registry.get(AccessTokenGuard).verify(token)
    except (TokenExpired, TokenInvalid):
        return None
    # No leeway: the clock that set its end is the one that is read here.
    return claims if claims.exp > clock.now().timestamp() else None
