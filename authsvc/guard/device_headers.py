"""The headers and the cookie of Device Bound Session Credentials (W3C draft)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Response, request

from authsvc.settings import Settings

MARKER = "__Host-device"
"""The cookie that a browser renews with the key of its device."""
REGISTRATION = "Secure-Session-Registration"

MARKER_SET = {"Set-Cookie": "The marker `__Host-device`: `HttpOnly`, for ten minutes."}

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class SentMarker:
    """What shows that the device's key was used a short time ago.

    Args:
        text: the value of the marker; None if there is none.
        is_delayed: whether the browser says that it could not reach us to renew it.
    """

    text: str | None
    is_delayed: bool


@dataclass(frozen=True)
class DeviceHeaders:
    """Reads and writes the headers.

    Args:
        settings: has the path below which clients reach the service, and the cookie's attributes.
    """

    settings: Settings

    @property
    def attributes(self) -> str:
        """The attributes of the marker, which the session's instructions repeat."""
        return f"Path=/; Secure; HttpOnly; SameSite={self.settings.cookie_samesite}"

    def path(self, route: str) -> str:
        """Return the path of a route as clients write it."""
        return quote(self.settings.prefix, encoding="latin-1") + route

    def offer(self, response: Response, challenge: str) -> Response:
        """Offer the browser to register the key of its device."""
        path = self.path("/auth/device")
        response.headers[REGISTRATION] = f'(ES256);path="{path}";challenge="{challenge}"'
        return response

    def set_marker(self, response: Response, marker: str, life: int) -> Response:
        """Set the marker.

        Args:
            response: the response to a proof by the device's key.
            marker: its value.
            life: seconds until it expires.
        """
        cookie = f"{MARKER}={marker}; {self.attributes}; Max-Age={life}"
        response.headers.add("Set-Cookie", cookie)
        return response


def sent_marker() -> SentMarker:
    """Return what the current request has."""
    skipped = request.headers.get("Secure-Session-Skipped", "")
    reasons = {item.partition(";")[0].strip() for item in skipped.split(",")}
    is_delayed = not reasons.isdisjoint({"server_error", "unreachable"})
    return SentMarker(request.cookies.get(MARKER), is_delayed)


def sent_device_proof() -> str | None:
    """Return the proof of the current request, which Chrome sends bare and the draft quotes."""
    return _text("Secure-Session-Response")


def sent_session_id() -> str | None:
    """Return the session whose marker the browser renews, which Chrome sends bare, too."""
    return _text("Sec-Secure-Session-Id")


def _text(header: str) -> str | None:
    text = request.headers.get(header)
    return None if text is None else text.strip().removeprefix('"').removesuffix('"')


def takes_device_proof(view: View) -> View:
    """Declare that the view reads Secure-Session-Response; the API's description says so."""
    view.takes_device_proof = True  # type: ignore[attr-defined]
    return view


def is_given_device_proof(view: Callable[..., Any]) -> bool:
    """Return whether the view was marked `@takes_device_proof`."""
    return getattr(view, "takes_device_proof", False) is True
