"""The mark of a view that every client may call without an access token."""

from collections.abc import Callable
from inspect import isclass, unwrap
from types import MethodType
from typing import Any, TypeVar

from flask import Flask
from werkzeug.wrappers import Response

View = TypeVar("View", bound=Callable[..., Any])

_MARK = "authsvc_public"
_METHODS = "authsvc_public_methods"


def public(view: View) -> View:
    """Mark a view that every client may call without an access token.

    It is a decorator, directly below the route's, and also a function for a view that an extension
    has registered: ``public(app.view_functions["static"])``. Of a bound method only that of this
    object is marked, and the object must be able to have attributes.

    Raises:
        TypeError: it is not a view, or cannot be marked.
    """
    if isclass(view):
        raise TypeError(
            f"public({view.__name__}) marks no view, because views are made of a class by as_view: "
            "write `decorators = (public,)` into the class."
        )
    if not callable(view) or isinstance(view, Response | Flask):  # these are WSGI applications
        raise TypeError(
            f"public takes a view function, and not {type(view).__name__}. To open a route that is "
            'registered already, write public(app.view_functions["endpoint"]).'
        )
    try:
        if isinstance(view, MethodType):
            opened = view.__self__.__dict__.get(_METHODS, frozenset())
            setattr(view.__self__, _METHODS, opened | {view.__func__})
        else:
            setattr(view, _MARK, True)
    except (AttributeError, TypeError):
        raise TypeError(
            f"public cannot mark {view!r}, because its attributes cannot be set: register a "
            "function that calls it, and mark that."
        ) from None
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Return whether the view was marked `@public`."""
    if getattr(view, _MARK, False) is True:
        return True
    if view.__class__ is not MethodType:
        return False
    return view.__func__ in getattr(view.__self__, "__dict__", {}).get(_METHODS, ())


def hides_a_mark(view: Callable[..., Any]) -> bool:
    """Return whether a function was marked `@public` after a decorator had made this view of it.

    The view is not public: another route may have the function as its view.
    """
    return is_public(unwrap(view, stop=is_public))
