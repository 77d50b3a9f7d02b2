"""The claims of both tokens: each is required and checked for its type."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from authsvc import roles
from authsvc.roles import Roles
from authsvc.tokens.amr import Acr, Amr, acr_of, among
from authsvc.tokens.jws import TokenInvalid

Audience = str | tuple[str, ...]
"""The `aud` claim: one name, or a list of them (RFC 7519 section 4.1.3)."""

NAMES = frozenset(
    (
        *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "sid", "auth_time", "roles"),
        *("client_id", "amr", "acr", "scope", "typ", "cnf", "act"),
        *("active", "token_type", "username"),
    )
)
"""The claims that the service sets or may set later, and the members that an introspection adds to
them (RFC 7662 section 2.2). An operator's own claims have other names."""

_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Claims:
    """The verified payload of a token. Fields have the names of the claims (RFC 7519, RFC 9068).

    Args:
        sub: the user's id.
        sid: the session's id, the same in both tokens (OpenID Connect Front-Channel Logout).
        jti: the token's own id.
        iss: the issuer.
        aud: the audience, or the audiences of an access token for several services.
        iat: when it was issued, in seconds since 1970.
        exp: when it expires, in seconds since 1970.
        auth_time: when the user last authenticated, in seconds since 1970.
        roles: the user's roles; only in an access token, and empty if there are none.
        client_id: the client that the token was issued to (RFC 9068 section 2.2); only in an
            access token, and empty if an earlier version of the service issued it.
        amr: how the user authenticated (RFC 8176); only in an access token, and empty if an earlier
            version of the service issued it.
        nbf: the token is refused before this time, in seconds since 1970; 0 without the claim.
        extra_json: the claims whose names are not in `NAMES`, as JSON; empty if there are none.
    """

    sub: UUID
    sid: UUID
    jti: UUID
    iss: str
    aud: Audience
    iat: int
    exp: int
    auth_time: int
    roles: Roles = ()
    client_id: str = ""
    amr: Amr = ()
    nbf: int = 0
    extra_json: str = ""

    @property
    def acr(self) -> Acr:
        """The level of the authentication: `aal2` with two factors, else `aal1`."""
        return acr_of(self.amr)

    @property
    def extra(self) -> dict[str, Any]:
        """The claims that the service's operator added, such as ``extra["tenant"]``.

        It is a copy, because claims are cached: a change of it changes no other request.
        """
        return cast(dict[str, Any], json.loads(self.extra_json)) if self.extra_json else {}

    def payload(self) -> dict[str, Any]:
        """Return the claims as the token has them."""
        required: dict[str, Any] = {
            "iss": self.iss,
            "sub": str(self.sub),
            "aud": self.aud,
            "exp": self.exp,
            "iat": self.iat,
            "jti": str(self.jti),
            "sid": str(self.sid),
            "auth_time": self.auth_time,
        }
        if self.client_id:
            required["client_id"] = self.client_id
        if self.amr:
            required["amr"] = self.amr
            required["acr"] = self.acr
        if self.roles:
            required["roles"] = self.roles
        return required | self.extra if self.extra_json else required


def checked_claims(payload: dict[str, Any], *, iss: str, aud: str | frozenset[str]) -> Claims:
    """Return the claims of a payload after checking that each is present and well formed.

    Only `client_id`, `roles`, `amr`, `acr` and `nbf` may be missing. Claims with other names are
    kept. The current time is not compared here: see `authsvc/tokens/times.py`.

    Args:
        payload: the payload.
        iss: the issuer that it must name.
        aud: the one audience that it must have; or a set, of which it must name at least one.

    Raises:
        TokenInvalid: a claim is missing or has the wrong type, or the issuer or audience differs.
    """
    value = payload.get("aud")
    claims = Claims(
        sub=_uuid(payload.get("sub")),
        sid=_uuid(payload.get("sid")),
        jti=_uuid(payload.get("jti")),
        iss=_equal(payload.get("iss"), iss),
        aud=_equal(value, aud) if isinstance(aud, str) else audience_among(value, aud),
        iat=_seconds(payload.get("iat")),
        exp=_seconds(payload.get("exp")),
        auth_time=_seconds(payload.get("auth_time")),
        roles=_roles(payload["roles"]) if "roles" in payload else (),
        client_id=_text(payload["client_id"]) if "client_id" in payload else "",
        amr=_amr(payload) if "amr" in payload or "acr" in payload else (),
        nbf=_seconds(payload["nbf"]) if "nbf" in payload else 0,
        extra_json=_extra(payload),
    )
    if claims.auth_time > claims.iat:
        raise TokenInvalid
    return claims


def audience_among(value: Any, accepted: frozenset[str]) -> Audience:
    """Return the audience or the audiences in an `aud` claim.

    Raises:
        TokenInvalid: it is neither a name nor a list of distinct names, or names none of these.
    """
    names = tuple(map(_text, value if type(value) is list else [value]))
    if accepted.isdisjoint(names) or len(set(names)) < len(names):
        raise TokenInvalid
    return names if type(value) is list else names[0]


def _uuid(value: Any) -> UUID:
    if type(value) is not str or not _CANONICAL_UUID.fullmatch(value):
        raise TokenInvalid
    return UUID(value)


def _seconds(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TokenInvalid
    return value


def _text(value: Any) -> str:
    if type(value) is not str or not value or not value.isprintable():
        raise TokenInvalid
    return value


def _roles(value: Any) -> Roles:
    try:
        return roles.checked(value)
    except ValueError:
        raise TokenInvalid from None


def _amr(payload: dict[str, Any]) -> Amr:
    value = payload.get("amr")
    if type(value) is not list or not value:
        raise TokenInvalid
    methods = tuple(map(_text, value))
    if len(set(methods)) < len(methods):
        raise TokenInvalid
    amr = among(methods)  # a later version of the service may know more
    if payload.get("acr") != acr_of(amr):
        raise TokenInvalid
    return amr


def _extra(payload: dict[str, Any]) -> str:
    extra = {name: value for name, value in payload.items() if name not in NAMES}
    return json.dumps(extra) if extra else ""


def _equal(value: Any, expected: str) -> str:
    if type(value) is not str or value != expected:
        raise TokenInvalid
    return expected
