"""The middleware that verifies the access token of every request to a protected route.

A route is protected unless its view is marked `@public`, so a route without a decision about
access is closed.
"""

import logging
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from flask import Blueprint, Flask, Request, Response, g
from flask.globals import request_ctx

from authsvc.guard.asked_by_proxy import is_asked_by_proxy
from authsvc.guard.guarded_routes import claimed
from authsvc.guard.public_views import hides_a_mark
from authsvc.guard.public_views import is_public as is_public
from authsvc.guard.public_views import public as public
from authsvc.guard.refusal_log import RefusalLog
from authsvc.guard.sent_token import sent_token, sent_token_of_another
from authsvc.problems import AccessTokenExpired, AccessTokenInvalid, AccessTokenRevoked, Problem
from authsvc.tokens.access import MAX_LIFE, AccessTokenVerifier, access_keyring
from authsvc.tokens.claims import Audience, Claims
from authsvc.tokens.jws import TokenExpired, TokenInvalid
from authsvc.tokens.keyring import Keys, hmac_key
from authsvc.tokens.shared_secret import secret_from_hex
from authsvc.web import log_context
from authsvc.web.connection import close_if_there_is_a_body
from authsvc.web.preflight import is_preflight
from authsvc.web.problem_json import render, respond_early, response_to
from authsvc.web.problem_types import explain_by

_log = logging.getLogger(__name__)


def current_access_token() -> Claims:
    """Return the verified claims of this request's access token.

    Raises:
        RuntimeError: no token was verified, because the route is public or no guard covers it.
    """
    if "access_token" not in g:
        raise RuntimeError(
            "This route has no access token, because it is public or no AccessTokenGuard covers "
            "it. Remove @public, or name its blueprint to the guard."
        )
    return cast(Claims, g.access_token)


class AccessTokenGuard:
    """Refuses each request to a protected route that has no valid access token.

    The service guards itself with it, and so can any other Flask app: it needs no database.
    Exactly one of `jwks_url`, `secret` and `keys` gives the keys. With the first two, which other
    services use, the guard logs why it refuses, each reason at most once a minute.

    Args:
        app: the app whose routes it protects, including routes registered later.
        blueprints: the only blueprints that it protects, those nested in them included; by default
            every route of the app, except for the blueprints of other guards. The guard of a
            nested blueprint takes the place of the outer one's.
        issuer: the service that issues the tokens: the value of its ``AUTHSVC_ISSUER``.
        audience: the audience that the ``aud`` claim of a token must name; by default the issuer,
            as in the service's settings. Of several, a token must name one.
        jwks_url: where the issuer publishes its public keys.
        secret: the access secret that is shared with the issuer, as hex.
        keys: finds the key of a token.
        max_life: the longest life of a token, in seconds.
        was_revoked: returns whether a session was revoked within the life of an access token.
            By default no session counts as revoked, and a token is valid until it expires.
        small_bodies: the app takes only small, strict JSON, so each body is read, and a second
            token in it is refused. Otherwise a body beside an Authorization header is left to
            the view, unread.

    Raises:
        ValueError: not exactly one of the three was given, or its value is not valid; or a route
            would have two guards.
        TypeError: `blueprints` is not a list of blueprints.
    """

    def __init__(
        self,
        app: Flask,
        *,
        blueprints: Sequence[Blueprint] | None = None,
        issuer: str,
        audience: Audience | None = None,
        jwks_url: str | None = None,
        secret: str | None = None,
        keys: Keys | None = None,
        max_life: int = MAX_LIFE,
        was_revoked: Callable[[UUID], bool] = lambda sid: False,
        small_bodies: bool = False,
    ) -> None:
        given = _keys_of(jwks_url, secret, keys)
        verifier = AccessTokenVerifier(given, iss=issuer, aud=audience or issuer, max_life=max_life)
        self.verify = verifier.verify
        self._refusals = None
        if keys is None:
            self._refusals = RefusalLog(
                given, issuer=issuer, audience=audience or issuer, max_life=max_life
            )
        self._app = app
        self._was_revoked = was_revoked
        self._small_bodies = small_bodies
        self._views = app.view_functions
        self._refused: set[str] = set()  # the endpoints; there are only so many
        self._guarded = claimed(app, self, blueprints)
        explain_by(app, issuer, blueprints or [None])
        app.before_request(self._check)
        # An app that renders problems itself, as the service does, keeps its handler.
        app.error_handler_spec[None][None].setdefault(Problem, render)
        respond_early(app, Problem)

    def _check(self) -> Response | None:
        request = request_ctx.request
        if self._guarded.by_blueprint and self._guarded.guard_of(request) is not self:
            return None  # the route is another guard's, or open
        if request.method == "OPTIONS" and request.url_rule is not None and is_preflight(request):
            # A preflight has no token, and a view of its method or of another must not run.
            return self._app.make_default_options_response()
        if not self._needs_token(request):
            g.pop("access_token", None)  # of an earlier request in an app context that was pushed
        else:
            try:
                g.access_token = self._verified(self._sent_token(request))
            except Problem as problem:
                self._look_for_a_late_mark(request.endpoint or "")
                return response_to(problem)
        return None

    def _needs_token(self, request: Request) -> bool:
        rule = request.url_rule
        if rule is None:
            return False  # no such route: the ordinary 404, 405 or redirect follows
        if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return False  # Flask responds, and no view runs
        return not is_public(self._views[rule.endpoint])

    def _sent_token(self, request: Request) -> str:
        if is_asked_by_proxy(self._views[request.endpoint or ""]):
            close_if_there_is_a_body(request)
            return sent_token_of_another(request)
        return sent_token(request, beside_a_header=self._small_bodies)

    def _look_for_a_late_mark(self, endpoint: str) -> None:
        """Tell the developer, once, why a route that was to be public is not."""
        if endpoint not in self._refused:
            self._refused.add(endpoint)
            if hides_a_mark(self._views[endpoint]):
                _log.warning(
                    "The route %r needs an access token, although a function inside its view is "
                    "marked public: mark the view itself, public(app.view_functions[%r]).",
                    endpoint,
                    endpoint,
                )

    def _verified(self, token: str) -> Claims:
        try:
            claims = self.verify(token)
        except TokenExpired:
            if self._refusals is not None:
                self._refusals.expired()
            raise AccessTokenExpired from None
        except TokenInvalid:
            if self._refusals is not None:
                self._refusals.invalid(token)
            raise AccessTokenInvalid from None
        log_context.bind(user=claims.sub, session=claims.sid)
        if self._was_revoked(claims.sid):
            raise AccessTokenRevoked
        return claims


def _keys_of(jwks_url: str | None, secret: str | None, keys: Keys | None) -> Keys:
    if sum(choice is not None for choice in (jwks_url, secret, keys)) != 1:
        raise ValueError("AccessTokenGuard takes exactly one of jwks_url, secret and keys.")
    if jwks_url is not None:
        # Imported here: its cryptography takes longer to import than all rooms of the guard.
        from authsvc.guard.remote_keyring import RemoteKeyring

        return RemoteKeyring(jwks_url)
    if secret is not None:
        try:
            return access_keyring(hmac_key(secret_from_hex(secret)))
        except ValueError as error:
            raise ValueError(f"The secret {error}.") from None
    return cast(Keys, keys)
