"""The middleware that verifies the access token of every request to a protected route.

Every route is protected that is not marked `@public`: a route that nobody thought about is closed.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Flask, g, request

from authsvc.facts import note
from authsvc.problems import (
    AccessTokenExpired,
    AccessTokenInvalid,
    AccessTokenMissing,
    AccessTokenRevoked,
    InvalidRequest,
)
from authsvc.requests import json_member
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Let everybody call this view, without an access token."""
    view.authsvc_public = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Whether the view was marked `@public`."""
    return getattr(view, "authsvc_public", False) is True


def current_access_token() -> Claims:
    """The verified claims of the access token that came with this request.

    Raises:
        RuntimeError: the route is public, so no token was asked for.
    """
    if "access_token" not in g:
        raise RuntimeError("A public route has no access token: remove @public to ask for one.")
    return cast(Claims, g.access_token)


class AccessTokenGuard:
    """Stops each request to a protected route that bears no valid access token.

    Args:
        app: the app whose routes it protects, those registered later included.
        verify: gives a token's claims, or raises TokenExpired or TokenInvalid.
        was_revoked: whether a session was revoked within the life of an access token.
    """

    def __init__(
        self, app: Flask, verify: Callable[[str], Claims], was_revoked: Callable[[UUID], bool]
    ) -> None:
        self._verify = verify
        self._was_revoked = was_revoked
        self._views = app.view_functions
        app.before_request(self._check)

    def _check(self) -> None:
        if self._needs_token():
            g.access_token = self._verified(_sent_token())

    def _needs_token(self) -> bool:
        rule = request.url_rule
        if rule is None:
            return False  # no such route: the ordinary 404, 405 or redirect follows
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return False  # a preflight bears no token, and no view runs
        return not is_public(self._views[rule.endpoint])

    def _verified(self, token: str) -> Claims:
        try:
            claims = self._verify(token)
        except TokenExpired:
            raise AccessTokenExpired from None
        except TokenInvalid:
            raise AccessTokenInvalid from None
        note(user=claims.sub, session=claims.sid)
        if self._was_revoked(claims.sid):
            raise AccessTokenRevoked
        return claims


def _sent_token() -> str:
    """The access token, as it came: in the header or in a JSON body (R3), never elsewhere."""
    header: str | None = request.environ.get("HTTP_AUTHORIZATION")
    in_body = json_member("access_token")
    if in_body is not None and header is not None:
        raise InvalidRequest(
            "An Authorization header and an access_token in the body came together."
        )
    if in_body is not None:
        if not isinstance(in_body, str):
            raise AccessTokenInvalid
        return in_body
    if header is None:
        raise AccessTokenMissing
    scheme, _, token = header.partition(" ")
    if "," in header:  # the server joins several headers so, and no Bearer token has a comma
        raise InvalidRequest("There is more than one Authorization header.")
    if scheme.lower() != "bearer":
        raise AccessTokenMissing
    return token
