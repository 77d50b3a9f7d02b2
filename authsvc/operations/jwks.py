"""GET /.well-known/jwks.json: the public keys by which others verify the access tokens."""

from flask import Response, jsonify, request

from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.tokens.access import AccessTokens

MAX_AGE = 60
"""Seconds that a cache may keep it: no longer than a verifier that meets a new key waits before
it asks again."""


@public
def jwks() -> Response:
    response = jsonify(component(AccessTokens).keyring.jwks())
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    response.add_etag()
    response.make_conditional(request)
    return response
