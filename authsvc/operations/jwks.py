"""GET /.well-known/jwks.json: the public keys by which others verify the access tokens."""

from flask import Response, after_this_request, request

from authsvc.guard.access_token import public
from authsvc.tokens.access import AccessTokens
from authsvc.tokens.keyring import JwkSet
from authsvc.web import registry
from authsvc.web.etag import REVALIDATED
from authsvc.web.outputs import answers

MAX_AGE = 60
"""Seconds that a cache may keep it: no longer than a verifier that meets a new key waits before
it asks again."""


@public
@answers(200, headers=REVALIDATED)
def jwks() -> JwkSet:
    """Get the public keys by which access tokens are verified elsewhere.

    There are none while access tokens are signed with a shared secret.
    """
    after_this_request(_to_be_kept)
    return registry.get(AccessTokens).keyring.jwks()


def _to_be_kept(response: Response) -> Response:
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    response.add_etag()
    response.make_conditional(request)
    return response
