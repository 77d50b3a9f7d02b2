"""An app with the guard, requests to it, and the refusals that they must get."""

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from authsvc.guard import AccessTokenGuard
from authsvc.tokens.keyring import hmac_key
from tests.guard.issuer import ISSUER, token_by
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET

KEY = hmac_key(ACCESS_SECRET)
CHALLENGE = 'Bearer realm="authsvc"'


def elsewhere(app: Flask | None = None, **scope: object) -> Flask:
    """Return an app without a database that has the guard."""
    app = app or Flask("elsewhere")
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex(), **scope)
    return app


def call(app: Flask, method: str, path: str, token: str = "", **kwargs: Any) -> TestResponse:
    headers = dict(kwargs.pop("headers", {}))
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return app.test_client().open(path, method=method, headers=headers, buffered=True, **kwargs)


def assert_protected(app: Flask, path: str, method: str = "GET") -> None:
    """Assert that the route refuses each kind of request without a valid token in full."""
    for token, code, error in (
        ("", "missing", ""),
        ("a.b.c", "invalid", ', error="invalid_token"'),
    ):
        answer = call(app, method, path, token)
        assert_problem(answer, 401, f"access_token_{code}")
        [challenge] = answer.headers.getlist("WWW-Authenticate")
        assert challenge.startswith(CHALLENGE + error)


def accepted(app: Flask, path: str, method: str = "GET", **kwargs: Any) -> TestResponse:
    """Return the response to a request with a valid token."""
    roles = kwargs.pop("roles", ())
    answer = call(app, method, path, token_by(KEY, roles=roles), **kwargs)
    assert answer.status_code < 400, answer.text
    return answer
