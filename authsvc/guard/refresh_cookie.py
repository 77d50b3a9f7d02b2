"""The refresh cookie: set, cleared, and read from the raw header."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, request

COOKIE_SET = {
    "Set-Cookie": "The refresh token: `HttpOnly`, for this host alone, for as long as the session."
}
COOKIE_CLEARED = {"Set-Cookie": "The refresh cookie with `Max-Age=0`: the browser drops it."}

View = TypeVar("View", bound=Callable[..., Any])


def takes_refresh_cookie(view: View) -> View:
    """Declare that the view reads the refresh cookie; the API's description says so."""
    view.takes_refresh_cookie = True  # type: ignore[attr-defined]
    return view


def is_given_refresh_cookie(view: Callable[..., Any]) -> bool:
    """Return whether the view was marked `@takes_refresh_cookie`."""
    return getattr(view, "takes_refresh_cookie", False) is True


@dataclass(frozen=True)
class RefreshCookie:
    """The cookie that holds the refresh token.

    Args:
        secure: whether browsers send it over HTTPS only.
        samesite: the value of its `SameSite` attribute.
    """

    secure: bool
    samesite: str

    @property
    def name(self) -> str:
        """The cookie's name; ``__Host-`` makes browsers insist on Secure, Path=/ and no Domain."""
        return "__Host-refresh_token" if self.secure else "refresh_token"

    def set(self, response: Response, refresh_token: str, max_age: int) -> Response:
        """Set the cookie.

        Args:
            response: the response to a login.
            refresh_token: the cookie's value.
            max_age: the seconds until the session expires.
        """
        secure = "Secure; " if self.secure else ""
        response.headers.add(
            "Set-Cookie",
            f"{self.name}={refresh_token}; Path=/; {secure}HttpOnly; "
            f"SameSite={self.samesite}; Max-Age={max_age}",
        )
        return response

    def clear(self, response: Response) -> Response:
        """Clear the cookie; a browser does that only if the attributes are the same."""
        return self.set(response, "", 0)

    def sent(self) -> list[str]:
        """Return the value of each cookie of this name in the request: usually zero or one.

        The raw header is read (RFC 6265 section 4.2.1): parsers take the first of two cookies
        with one name and unquote values, which would hide both faults. Only spaces and tabs are
        stripped: to a browser, a name after a no-break space has no ``__Host-`` prefix.
        """
        header = request.headers.get("Cookie", "")
        pairs = (pair.strip(" \t").partition("=") for pair in header.split(";"))
        return [value for key, _, value in pairs if key == self.name]
