"""Recognise a browser by its User-Agent header, as far as a person would tell browsers apart."""

from typing import NamedTuple

_FAMILIES = {
    "Edge": ("Edg/", "EdgA/", "EdgiOS/", "Edge/"),
    "Opera": ("OPR/", "OPT/", "OPiOS/", "Opera"),
    "Samsung Internet": ("SamsungBrowser/",),
    "Firefox": ("Firefox/", "FxiOS/"),
    "Chrome": ("Chrome/", "CriOS/", "Chromium/"),
    "Safari": ("Safari/",),
    "curl": ("curl/",),
}
"""What each writes into the header. The order counts: most name themselves and Chrome or Safari."""
_SYSTEMS = {
    "Windows": ("Windows",),
    "iOS": ("iPhone", "iPad", "iPod"),
    "Android": ("Android",),
    "macOS": ("Macintosh", "Mac OS X"),
    "Linux": ("Linux", "X11"),
}


class Browser(NamedTuple):
    """A browser.

    Args:
        family: such as Firefox, whatever its version; empty if it is not a known one.
        system: such as Android; empty if it is not a known one.
    """

    family: str
    system: str


def browser_of(user_agent: str | None) -> Browser:
    """Return the browser of a User-Agent header, which any client can forge."""
    return Browser(_named_in(user_agent or "", _FAMILIES), _named_in(user_agent or "", _SYSTEMS))


def _named_in(user_agent: str, names: dict[str, tuple[str, ...]]) -> str:
    found = (name for name, marks in names.items() if any(mark in user_agent for mark in marks))
    return next(found, "")
