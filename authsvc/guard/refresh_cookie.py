"""The refresh cookie: set, cleared, and read from the raw header."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Response, request

from authsvc.problems import RefreshTokenRefused
from authsvc.settings import Settings
from authsvc.web.registry import component

COOKIE_SET = {
    "Set-Cookie": "The refresh token: `HttpOnly`, for this host alone, for as long as the session."
}
COOKIE_CLEARED = RefreshTokenRefused.adds

P = ParamSpec("P")
R = TypeVar("R")


def takes_refresh_cookie(view: Callable[Concatenate[list[str], P], R]) -> Callable[P, R]:
    """Give the view the refresh tokens that came along as its first argument."""

    @wraps(view)
    def with_tokens(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(sent_refresh_tokens(), *args, **kwargs)

    with_tokens.takes_refresh_cookie = True  # type: ignore[attr-defined]
    return with_tokens


def is_given_refresh_cookie(view: Callable[..., Any]) -> bool:
    """Whether the view was marked `@takes_refresh_cookie`."""
    return getattr(view, "takes_refresh_cookie", False) is True


def set_refresh_cookie(response: Response, refresh_token: str, lives: int) -> Response:
    """Put the refresh token in the browser's keeping.

    Args:
        response: the answer to a login.
        refresh_token: the cookie's value.
        lives: the seconds that the session still lives.
    """
    settings = component(Settings)
    secure = "Secure; " if settings.cookie_secure else ""
    response.headers.add(
        "Set-Cookie",
        f"{cookie_name(settings)}={refresh_token}; Path=/; {secure}HttpOnly; "
        f"SameSite={settings.cookie_samesite}; Max-Age={lives}",
    )
    return response


def clear_refresh_cookie(response: Response) -> Response:
    """Tell the browser to drop the cookie; it does so only for the very same attributes."""
    return set_refresh_cookie(response, "", 0)


def sent_refresh_tokens() -> list[str]:
    """The value of each cookie of our name that came along: usually one, or none.

    The raw header is read (RFC 6265 section 4.2.1), since parsers take the first of two cookies
    with one name and unquote values, and so would hide both from us. No more than spaces and
    tabs is cut off: to a browser a name after a no-break space has no ``__Host-`` prefix.
    """
    name = cookie_name(component(Settings))
    header = request.headers.get("Cookie", "")
    pairs = (pair.strip(" \t").partition("=") for pair in header.split(";"))
    return [value for key, _, value in pairs if key == name]


def cookie_name(settings: Settings) -> str:
    """``__Host-`` makes the browser hold to Secure, to Path=/ and to this host alone."""
    return "__Host-refresh_token" if settings.cookie_secure else "refresh_token"
