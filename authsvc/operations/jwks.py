"""GET /.well-known/jwks.json: the public keys with which other services verify access tokens."""

from flask import Response, after_this_request, request

from authsvc.guard.access_token import public
from authsvc.tokens.access import AccessTokens
from authsvc.tokens.keyring import JwkSet
from authsvc.web import registry
from authsvc.web.etag import REVALIDATED
from authsvc.web.outputs import answers

MAX_AGE = 60
"""Seconds for which a cache may keep the keys: not longer than a verifier waits before it fetches
the keys again for an unknown `kid`."""


@public
@answers(200, headers=REVALIDATED)
def jwks() -> JwkSet:
    """Get the public keys with which other services verify access tokens.

    The list is empty while access tokens are signed with a shared secret.
    """
    after_this_request(make_cacheable)
    return registry.get(AccessTokens).keyring.jwks()


def make_cacheable(response: Response) -> Response:
    """Allow caches to keep the response for `MAX_AGE` seconds, and to revalidate it by its ETag."""
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    response.add_etag()
    response.make_conditional(request)
    return response
