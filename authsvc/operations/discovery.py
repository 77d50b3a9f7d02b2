"""GET /.well-known/oauth-authorization-server: what another service must know (RFC 8414)."""

from typing import cast
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, after_this_request
from flask.sansio.blueprints import BlueprintSetupState
from typing_extensions import TypedDict

from authsvc.guard.access_token import public
from authsvc.operations.jwks import make_cacheable
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.etag import REVALIDATED
from authsvc.web.outputs import answers

ROUTE = "/.well-known/oauth-authorization-server"


class Metadata(TypedDict):
    """The metadata of the service as an authorization server (RFC 8414 section 2).

    Args:
        issuer: the `iss` claim of each token.
        jwks_uri: where the public keys are. The list there is empty while tokens are signed with a
            shared secret.
        introspection_endpoint: where a token is introspected.
        response_types_supported: empty, because the service has no authorization endpoint.
        dpop_signing_alg_values_supported: the algorithms of the proofs that bind sessions.
    """

    issuer: str
    jwks_uri: str
    introspection_endpoint: str
    response_types_supported: list[str]
    dpop_signing_alg_values_supported: list[str]


@public
@answers(200, headers=REVALIDATED)
def discovery() -> Metadata:
    """Get the service's metadata, from which OAuth libraries configure themselves (RFC 8414)."""
    after_this_request(make_cacheable)
    settings = registry.get(Settings)
    # `jwks_uri` is there even while it lists no key: a service that read these metadata before a
    # change from the shared secret to a private key then finds the key.
    return {
        "issuer": settings.token_issuer,
        "jwks_uri": f"{settings.public_url}/.well-known/jwks.json",
        "introspection_endpoint": f"{settings.public_url}/auth/introspect",
        "response_types_supported": [],
        "dpop_signing_alg_values_supported": ["ES256"],
    }


@public
def discovery_below_host() -> Response:
    """Return the same where clients look for an issuer with a path (RFC 8414 section 3.1)."""
    return discovery()


def add_discovery(state: BlueprintSetupState) -> None:
    """Add the route if the settings name an issuer.

    Clients put the well-known part between the host and the path of the issuer. A proxy that
    serves the service below a path delivers that URL as it is, or without the path of the issuer.
    """
    with cast(Flask, state.app).app_context():
        settings = registry.get(Settings)
    if settings.issuer is None:
        return
    state.add_url_rule(ROUTE, "discovery", discovery)
    if path := unquote(urlsplit(settings.public_url).path):
        state.add_url_rule(ROUTE + path, "discovery_below_host", discovery_below_host)
