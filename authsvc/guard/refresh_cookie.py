"""The refresh cookie: set, cleared, and read from the raw header."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, request

from authsvc.problems import RefreshTokenInvalid, RefreshTokenMissing

COOKIE_SET = {
    "Set-Cookie": "The refresh token: `HttpOnly`, for this host alone, for as long as the session."
}
COOKIE_CLEARED = {"Set-Cookie": "The refresh cookie with `Max-Age=0`: the browser drops it."}

_KEPT_BACK = (
    "No refresh cookie came with the request: log in. Over plain HTTP, only browsers and curl on "
    "localhost send a Secure cookie; for other clients set AUTHSVC_COOKIE_SECURE=false in "
    "development."
)

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
        partitioned: whether a page embedded in another site has its own cookie (CHIPS).
    """

    secure: bool
    samesite: str
    partitioned: bool = False

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
        partitioned = "; Partitioned" if self.partitioned else ""
        response.headers.add(
            "Set-Cookie",
            f"{self.name}={refresh_token}; Path=/; {secure}HttpOnly; "
            f"SameSite={self.samesite}; Max-Age={max_age}{partitioned}",
        )
        return response

    def clear(self, response: Response) -> Response:
        """Clear the cookie; a browser does that only if the attributes are the same."""
        return self.set(response, "", 0)

    def only(self) -> str:
        """Return the value of the cookie, which the request must have exactly once.

        Raises:
            RefreshTokenMissing: the request does not have the cookie, or has it only inside
                another cookie's value.
            RefreshTokenInvalid: it has the cookie twice.
        """
        own = [value for value, is_own in self._found() if is_own]
        if not own:
            kept_back = self.secure and not request.is_secure
            raise RefreshTokenMissing(_KEPT_BACK if kept_back else None)
        if len(own) > 1:
            raise RefreshTokenInvalid
        return own[0]

    def sent(self) -> list[str]:
        """Return every value that the cookie may have in this request, for revoking them."""
        return [value for value, _ in self._found()]

    def _found(self) -> Iterator[tuple[str, bool]]:
        """Yield each value, and whether it belongs to a cookie of this name for certain.

        The raw header is read (RFC 6265 section 4.2.1): parsers take the first of two cookies
        with one name and unquote values, which would hide both faults. Only spaces and tabs are
        stripped: to a browser, a name after a no-break space has no ``__Host-`` prefix.

        gunicorn joins several Cookie lines with "; ", by our settings; other servers use a comma.
        Our own value never contains one, so what follows it is another line. A comma in another
        cookie's value proves nothing: a sibling site can set ``a=1,__Host-refresh_token=…`` for
        its whole domain, and refreshing with that would log a person in to a stranger's account.
        """
        for pair in request.headers.get("Cookie", "").split(";"):
            is_own = False
            for index, crumb in enumerate(pair.split(",")):
                key, _, value = crumb.strip(" \t").partition("=")
                if key == self.name:
                    is_own = is_own or index == 0
                    yield value, is_own
