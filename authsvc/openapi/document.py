"""The API's description as OpenAPI 3.1, generated from what the routes declare."""

from typing import Any

from flask import Flask

from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.openapi.responses import responses_of, shared_headers, shared_responses
from authsvc.openapi.routes import Route, declared_routes
from authsvc.openapi.schemas import Schemas
from authsvc.settings import Settings
from authsvc.tokens.proof import MAX_LENGTH
from authsvc.version import __version__
from authsvc.web.form_body import FORM
from authsvc.web.outputs import JSON

ABOUT = """\
A page logs in with a password. It gets a short-lived access token as JSON, which it keeps in \
memory and sends with each request, and a refresh token in a cookie that no script can read. With \
the cookie it gets the next access token, until the session ends.

Every error is `application/problem+json` (RFC 9457): program against its `code`. Its `type` leads \
to an explanation. An unknown path is `not_found`, another method `method_not_allowed` with \
`Allow`. Bodies are strict JSON in UTF-8, of at most 16 KiB; members that are not described are \
ignored.

Pages of the origins in `AUTHSVC_ALLOWED_ORIGINS` may call the service with credentials (CORS)."""

TAGS = {
    "auth": "Create an account; open, refresh, end and verify a session.",
    "resources": "A person's own account. These routes need an access token.",
    "operations": "For operators, and for developers who build on the service.",
}


def document(
    app: Flask, settings: Settings, cookie: RefreshCookie, prefix: str = ""
) -> dict[str, Any]:
    """Return the description of the app's routes that declare their responses.

    Args:
        app, settings, cookie: as in `Description`.
        prefix: the path below which the server has mounted the app, if there is no issuer.
    """
    routes = declared_routes(app)
    schemas = Schemas(routes, settings.password_min_length)
    paths: dict[str, Any] = {}
    for route in routes:
        needs_proof = settings.require_bound_sessions and route.opens_session
        operation = _operation(route, schemas, needs_proof)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    tags = dict.fromkeys(route.tag for route in routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "authsvc",
            "version": __version__,
            "summary": "Short access tokens in memory, sessions in your database",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": (settings.issuer or prefix).rstrip("/") or "/"}],
        "tags": [{"name": tag, **_described(TAGS.get(tag, ""))} for tag in tags],
        "paths": paths,
        "components": {
            "securitySchemes": _security_schemes(cookie),
            "schemas": schemas.components,
            "responses": shared_responses(routes),
            "headers": shared_headers(),
        },
    }


def _operation(route: Route, schemas: Schemas, needs_proof: bool) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.docstring.summary or route.name,
        **_described(route.docstring.text),
        "security": _security(route),
    }
    in_path = [_parameter(route, name) for name in route.parameters]
    in_headers = [{**_PROOF, "required": needs_proof}] if route.takes_proof else []
    if route.takes_device_proof:
        in_headers.append(_DEVICE_PROOF)
    if parameters := [*in_path, *schemas.query_of(route), *in_headers]:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {JSON: {"schema": schemas.taken_by(route)}}
        if route.form is not None:
            content[FORM] = {"schema": schemas.taken_as_form_by(route)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation | {"responses": responses_of(route, schemas)}


_IN_PATH = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
}
"""The schemas of Flask's converters; of the others, a string."""


_PROOF = {
    "name": "DPoP",
    "in": "header",
    "description": "A proof that the client holds a key (RFC 9449 section 4.2), by ES256 and with "
    "an `iat` within 60 seconds or a `nonce` of ours. Where a session opens, it binds the session "
    "to the key. A bound session needs it at each refresh.",
    "schema": {"type": "string", "maxLength": MAX_LENGTH},
}


_DEVICE_PROOF = {
    "name": "Secure-Session-Response",
    "in": "header",
    "required": False,
    "description": "What the browser has signed with the key of its device (W3C Device Bound "
    "Session Credentials): a `dbsc+jwt` by ES256. Browsers send it by themselves.",
    "schema": {"type": "string", "maxLength": MAX_LENGTH},
}


def _parameter(route: Route, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        **_described(route.docstring.arguments.get(name, "")),
        "schema": _IN_PATH.get(route.parameters[name], {"type": "string"}),
    }


def _described(text: str) -> dict[str, str]:
    return {"description": text} if text else {}


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.is_protected:
        return [{"access_token": []}]
    if not route.takes_refresh_cookie:
        return []
    return [{"refresh_cookie": []}, *([] if route.needs_refresh_cookie else [{}])]


def _security_schemes(cookie: RefreshCookie) -> dict[str, Any]:
    return {
        "access_token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token, either in the `Authorization` header or as the "
            "member `access_token` of a JSON body (of any method); never in both, in a cookie or "
            "in the query string.",
        },
        "refresh_cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie.name,
            "description": "Set by a login and kept by the browser: `HttpOnly`, so that no script "
            "can read it, and sent only to this host.",
        },
    }
