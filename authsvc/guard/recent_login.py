"""The recent login that a view requires (RFC 9470)."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import current_app

from authsvc import clock
from authsvc.guard.access_token import current_access_token
from authsvc.problems import ReauthenticationRequired

MAX_AGE = 600
"""Seconds since the login after which a person must log in again before a sensitive change."""

P = ParamSpec("P")
R = TypeVar("R")


def requires_recent_login(max_age: int = MAX_AGE) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Allow only access tokens of a recent login to call the view.

    A refresh is not a login: it keeps the `auth_time` of the session.

    Args:
        max_age: seconds since the login that are allowed.

    Raises:
        ValueError: `max_age` is not a positive whole number.
        ReauthenticationRequired: from the view, if the login was longer ago.
    """
    if type(max_age) is not int or max_age < 1:
        raise ValueError(
            f"max_age must be a positive number of seconds, and not {max_age!r}: write "
            "@requires_recent_login() or @requires_recent_login(max_age=300)."
        )

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def with_recent_login(*args: P.args, **kwargs: P.kwargs) -> R:
            if clock.now().timestamp() - current_access_token().auth_time > max_age:
                raise ReauthenticationRequired(max_age)
            return cast(R, current_app.ensure_sync(view)(*args, **kwargs))

        with_recent_login.authsvc_max_age = max_age  # type: ignore[attr-defined]  # as roles do
        return with_recent_login

    return decorate


def needs_recent_login(view: Callable[..., object]) -> bool:
    """Return whether the view is marked with `@requires_recent_login`."""
    return hasattr(view, "authsvc_max_age")
