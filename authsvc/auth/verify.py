"""/auth/verify: a proxy asks whether the request it forwards has a valid access token."""

from flask import Response
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter, Rule

from authsvc import roles
from authsvc.guard.access_token import current_access_token
from authsvc.guard.asked_by_proxy import asked_by_proxy
from authsvc.web.outputs import answers

SUBJECT, SESSION, ROLES = "X-Auth-Subject", "X-Auth-Session", "X-Auth-Roles"
HEADERS = {
    SUBJECT: "The id of the account.",
    SESSION: "The id of the session.",
    ROLES: "The roles in the access token, separated by spaces; empty if it has none.",
}


@asked_by_proxy
@answers(200, headers=HEADERS)
def verify(path: str = "") -> Response:
    """Return whether the request's access token is valid, for a proxy.

    nginx's `auth_request`, Caddy's `forward_auth`, Envoy's `ext_authz` and similar directives call
    it. Every method and every path below it get the same response, because some proxies ask with
    those of the request that they forward. The token is in the `Authorization` header or, if the
    proxy forwards the body and it is at most 16 KiB of JSON, its member `access_token`.

    Args:
        path: the path of the forwarded request, which does not matter.
    """
    claims = current_access_token()
    # Roles are sent even if there are none: a proxy that copies the header then replaces one that
    # the client sent.
    headers = {
        SUBJECT: str(claims.sub),
        SESSION: str(claims.sid),
        ROLES: roles.join(claims.roles),
    }
    response = Response(headers=headers)
    del response.headers["Content-Type"]
    return response


class AnyPath(BaseConverter):
    """The rest of a path, whatever it is: empty, or with slashes at each place."""

    regex = "(?s:.*)"
    part_isolating = False


def add_verify(state: BlueprintSetupState) -> None:
    """Add the route for every method. Flask's own `route` would need a list of them."""
    url, endpoint = f"{state.url_prefix}/verify", f"{state.name}.verify"
    state.add_url_rule("/verify", "verify", verify, provide_automatic_options=False)
    state.app.url_map.converters["any_path"] = AnyPath
    state.app.url_map.add(Rule(url, endpoint=endpoint))
    state.app.url_map.add(Rule(f"{url}/<any_path:path>", endpoint=endpoint))
