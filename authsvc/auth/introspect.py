"""POST /auth/introspect: return whether an access token is valid now, and its claims (RFC 7662)."""

from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic needs this one before Python 3.12
    cast,
)

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from authsvc import clock
from authsvc.guard.access_token import AccessTokenGuard, public
from authsvc.roles import Roles
from authsvc.sessions.lookup import is_in_force
from authsvc.tokens.amr import Acr, Amr
from authsvc.tokens.claims import Audience, Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.web import registry
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers


class Introspection(Body):
    """The access token to introspect.

    Args:
        access_token: the token, as a client sent it.
    """

    access_token: Annotated[Text, Field(examples=["eyJhbGciOiJIUzI1NiIs..."])]


class IntrospectionForm(Introspection):
    """The access token to introspect, as a form (RFC 7662 section 2.1).

    Args:
        token: the token, as a client sent it.
        token_type_hint: ignored; only an access token can be active.
    """

    access_token: Annotated[Text, Field(alias="token", examples=["eyJhbGciOiJIUzI1NiIs..."])]
    token_type_hint: Text = ""


class Active(TypedDict):
    """The claims of an access token that is valid now (RFC 7662 section 2.2).

    Args:
        active: whether the token is valid.
        token_type: how it is sent.
        iss: the issuer.
        sub: the id of the account.
        aud: the audience; a list if the service is configured with several.
        exp: when it expires, in seconds since 1970.
        iat: when it was issued, in seconds since 1970.
        jti: the token's own id.
        sid: the id of the session.
        auth_time: when the user last authenticated, in seconds since 1970.
        client_id: the client that the token was issued to; absent in a token that an
            earlier version of the service issued.
        amr: how the user authenticated (RFC 8176); absent in a token that an earlier version of the
            service issued, as is `acr`.
        acr: `aal2` if the user authenticated with two factors, else `aal1`.
        roles: the roles of the account; absent if it has none.
    """

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # claims of the operator
    active: Literal[True]
    token_type: Literal["Bearer"]
    iss: str
    sub: str
    aud: Audience
    exp: int
    iat: int
    jti: str
    sid: str
    auth_time: int
    client_id: NotRequired[str]
    amr: NotRequired[Amr]
    acr: NotRequired[Acr]
    roles: NotRequired[Roles]


class Inactive(TypedDict):
    """The access token is not valid now. The reason is not given.

    Args:
        active: whether the token is valid.
    """

    active: Literal[False]


@public
@takes(Introspection, form=IntrospectionForm)
@answers(200)
def introspect(body: Introspection) -> Active | Inactive:
    """Return whether an access token is valid now, and its claims (RFC 7662).

    The token comes as JSON, or as the form of RFC 7662 section 2.1. Its session is looked up in the
    database, so it is inactive as soon as its session is revoked, its account is disabled or its
    user is deleted.
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
    # No leeway: the service that issued the token reads its own clock here.
    return claims if claims.exp > clock.now().timestamp() else None
