"""POST /auth/device and /auth/device/refresh: how a browser binds a session to its device.

Browsers send these requests by themselves (W3C Device Bound Session Credentials). While the session
lives, no response is one after which a browser gives the binding up: 4xx except 403, a redirect or
HTML.
"""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, after_this_request

from authsvc.guard.access_token import public
from authsvc.guard.device_headers import (
    MARKER,
    MARKER_SET,
    sent_device_proof,
    sent_session_id,
    takes_device_proof,
)
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    DeviceProofInvalid,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRevoked,
)
from authsvc.sessions.device import DeviceBinding
from authsvc.settings import Settings
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.outputs import answers

_MAY = [
    RefreshTokenMissing,
    RefreshTokenInvalid,
    RefreshTokenExpired,
    RefreshTokenRevoked,
    DeviceProofInvalid,
]


@dataclass(frozen=True)
class ScopeRule:
    """Which requests wait for the marker.

    Args:
        type: whether they do; the last rule that fits counts.
        domain: of which host.
        path: of which path.
    """

    type: Literal["include", "exclude"]
    domain: str
    path: str


@dataclass(frozen=True)
class Scope:
    """The requests that wait for the marker: refreshes.

    Args:
        origin: our own origin.
        include_site: no: its other hosts are not concerned.
        scope_specification: the rules.
    """

    origin: str
    include_site: bool
    scope_specification: list[ScopeRule]


@dataclass(frozen=True)
class BoundCookie:
    """The cookie that the browser renews.

    Args:
        type: `cookie`.
        name: its name.
        attributes: as it is set.
    """

    type: Literal["cookie"]
    name: str
    attributes: str


@dataclass(frozen=True)
class SessionInstructions:
    """What the browser is to do for this session.

    Args:
        session_identifier: the id of the session.
        refresh_url: where it renews the marker.
        scope: for which requests.
        credentials: the marker.
        allowed_refresh_initiators: the hosts of other pages whose requests wait for it too.
    """

    session_identifier: UUID
    refresh_url: str = field(metadata={"examples": ["/auth/device/refresh"]})
    scope: Scope
    credentials: list[BoundCookie]
    allowed_refresh_initiators: list[str]


@public
@takes_refresh_cookie
@takes_device_proof
@answers(200, headers=MARKER_SET, may=_MAY)
def register_device() -> SessionInstructions:
    """Bind the session of the refresh cookie to a key of the browser's device.

    The browser sends this by itself after a login that offered it, with the header
    `Secure-Session-Response`. From then on a refresh needs the marker of the response.
    """
    token, binding = _token(), registry.get(DeviceBinding)
    return _answer(token, binding.register(token, sent_device_proof(), current_client()))


@public
@takes_refresh_cookie
@takes_device_proof
@answers(200, headers=MARKER_SET, may=_MAY)
def renew_device() -> SessionInstructions:
    """Renew the marker of a session that is bound to a device.

    Without a proof of the current challenge, the response is 403 with that challenge in the header
    `Secure-Session-Challenge`, and the browser sends the request again. If a later login has
    replaced the cookie of the session that the browser names, the response is 401, and the browser
    forgets that session.
    """
    token, binding = _token(), registry.get(DeviceBinding)
    if sent_session_id() not in (None, str(token.claims.sid)):
        raise RefreshTokenMissing
    return _answer(token, binding.renew(token, sent_device_proof(), current_client()))


def _token() -> RefreshClaims:
    return registry.get(DeviceBinding).tokens.verify(registry.get(RefreshCookie).only())


def _answer(token: RefreshClaims, marker: str) -> SessionInstructions:
    """Set the marker, and return the instructions, which are always the same for a session."""
    binding, settings = registry.get(DeviceBinding), registry.get(Settings)
    headers = binding.headers

    @after_this_request
    def set_marker(response: Response) -> Response:
        return headers.set_marker(response, marker, binding.made_by.marker_life)

    hosts = [urlsplit(origin).hostname or "" for origin in settings.allowed_origins]
    rules = [
        ScopeRule("exclude", "*", "/"),
        ScopeRule("include", "*", headers.path("/auth/refresh")),
    ]
    return SessionInstructions(
        session_identifier=token.claims.sid,
        refresh_url=headers.path("/auth/device/refresh"),
        scope=Scope(registry.get(OwnOrigin).of_request() or "", False, rules),
        credentials=[BoundCookie("cookie", MARKER, headers.attributes)],
        allowed_refresh_initiators=hosts,
    )
