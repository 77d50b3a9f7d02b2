"""Step-up authentication: a view requires a recent one, or two factors (RFC 9470)."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import current_app

from authsvc import clock
from authsvc.guard.access_token import current_access_token
from authsvc.problems import ReauthenticationRequired

MAX_AGE = 600
"""Seconds after which a person must authenticate again before a sensitive change."""

P = ParamSpec("P")
R = TypeVar("R")


def requires_recent_login(max_age: int = MAX_AGE) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Allow only people who authenticated a short time ago to call the view.

    A login authenticates, and so does `/auth/reauthenticate`. A refresh does not: it keeps the
    `auth_time` of the session.

    Args:
        max_age: seconds since the authentication that are allowed.

    Raises:
        ValueError: `max_age` is not a positive whole number.
        ReauthenticationRequired: from the view, if it was longer ago.
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


def requires_aal2(view: Callable[P, R]) -> Callable[P, R]:
    """Allow only people who authenticated with two factors, or with a passkey, to call the view.

    A person whose account has no second factor is refused until one is set up. It says nothing
    about when they authenticated: add `@requires_recent_login()` for that.

    Raises:
        ReauthenticationRequired: from the view, if they did not.
    """

    @wraps(view)
    def with_aal2(*args: P.args, **kwargs: P.kwargs) -> R:
        if current_access_token().acr != "aal2":
            raise ReauthenticationRequired(acr="aal2")
        return cast(R, current_app.ensure_sync(view)(*args, **kwargs))

    with_aal2.authsvc_acr = "aal2"  # type: ignore[attr-defined]  # as roles do
    return with_aal2


def needs_reauthentication(view: Callable[..., object]) -> bool:
    """Return whether the view is marked `@requires_recent_login` or `@requires_aal2`."""
    return hasattr(view, "authsvc_max_age") or hasattr(view, "authsvc_acr")
