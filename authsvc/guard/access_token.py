"""The middleware that verifies the access token of every request to a protected route.

Every route is protected that is not marked `@public`: a route that nobody thought about is closed.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Flask, Request, g
from flask.globals import request_ctx

from authsvc.guard.remote_keyring import RemoteKeyring
from authsvc.problems import (
    AccessTokenExpired,
    AccessTokenInvalid,
    AccessTokenMissing,
    AccessTokenRevoked,
    InvalidRequest,
    Problem,
)
from authsvc.tokens.access import MAX_LIFE, AccessTokenVerifier, access_keyring
from authsvc.tokens.claims import Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.tokens.keyring import Keys, hmac_key
from authsvc.tokens.shared_secret import secret_from_hex
from authsvc.web import log_context
from authsvc.web.json_body import json_member
from authsvc.web.problem_json import render

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

    The service guards itself with it, and so can any other Flask app: it needs no database.
    How the keys are found is said by exactly one of `jwks_url`, `secret` and `keys`.

    Args:
        app: the app whose routes it protects, those registered later included.
        issuer: the service that issues the tokens, as its ``AUTHSVC_ISSUER`` has it.
        audience: whom the tokens are for; by default the issuer, as in the service's settings.
        jwks_url: where the issuer publishes its public keys.
        secret: the access secret that is shared with the issuer, as hex.
        keys: where the key of a token is found.
        max_life: the seconds that a token may live.
        was_revoked: whether a session was revoked within the life of an access token. By default
            nobody knows: a token counts until it ends.
        small_bodies: the app takes small strict JSON alone, so each body is read, and one that
            bears a second token is refused. Otherwise a body beside an Authorization header is
            left to the view, unread.

    Raises:
        ValueError: the keys are not said by exactly one of the three, or not rightly.
    """

    def __init__(
        self,
        app: Flask,
        *,
        issuer: str,
        audience: str | None = None,
        jwks_url: str | None = None,
        secret: str | None = None,
        keys: Keys | None = None,
        max_life: int = MAX_LIFE,
        was_revoked: Callable[[UUID], bool] = lambda sid: False,
        small_bodies: bool = False,
    ) -> None:
        found = _chosen(jwks_url, secret, keys)
        verifier = AccessTokenVerifier(found, iss=issuer, aud=audience or issuer, max_life=max_life)
        self.verify = verifier.verify
        self._was_revoked = was_revoked
        self._small_bodies = small_bodies
        self._views = app.view_functions
        app.before_request(self._check)
        # An app that has its own way of telling problems keeps it, as the service does.
        app.error_handler_spec[None][None].setdefault(Problem, render)

    def _check(self) -> None:
        request = request_ctx.request
        if self._needs_token(request):
            g.access_token = self._verified(self._sent_token(request))

    def _needs_token(self, request: Request) -> bool:
        rule = request.url_rule
        if rule is None:
            return False  # no such route: the ordinary 404, 405 or redirect follows
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return False  # a preflight bears no token, and no view runs
        return not is_public(self._views[rule.endpoint])

    def _verified(self, token: str) -> Claims:
        try:
            claims = self.verify(token)
        except TokenExpired:
            raise AccessTokenExpired from None
        except TokenInvalid:
            raise AccessTokenInvalid from None
        log_context.bind(user=claims.sub, session=claims.sid)
        if self._was_revoked(claims.sid):
            raise AccessTokenRevoked
        return claims

    def _sent_token(self, request: Request) -> str:
        """The access token, as it came: in the header or in a JSON body (R3), never elsewhere."""
        header: str | None = request.environ.get("HTTP_AUTHORIZATION")
        look_inside = header is None or self._small_bodies
        in_body = json_member("access_token") if look_inside else None
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


def _chosen(jwks_url: str | None, secret: str | None, keys: Keys | None) -> Keys:
    if sum(choice is not None for choice in (jwks_url, secret, keys)) != 1:
        raise ValueError("AccessTokenGuard takes exactly one of jwks_url, secret and keys.")
    if jwks_url is not None:
        return RemoteKeyring(jwks_url)
    if secret is not None:
        try:
            return access_keyring(hmac_key(secret_from_hex(secret)))
        except ValueError as error:
            raise ValueError(f"The secret {error}.") from None
    return cast(Keys, keys)
