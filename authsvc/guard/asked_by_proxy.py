"""Mark a view that a proxy asks about requests which are meant for another service."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def asked_by_proxy(view: View) -> View:
    """Mark a view that a proxy asks with the method, the body and the origin of another request.

    The guards still verify the access token of its header. They neither read the body nor refuse
    the origin: both are of the request that the proxy forwards, and the view changes nothing.
    """
    view.authsvc_asked_by_proxy = True  # type: ignore[attr-defined]
    return view


def is_asked_by_proxy(view: Callable[..., Any]) -> bool:
    """Return whether the view was marked `@asked_by_proxy`."""
    return getattr(view, "authsvc_asked_by_proxy", False) is True
