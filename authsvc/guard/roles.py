"""The role that a view requires."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import current_app

from authsvc.guard.access_token import current_access_token
from authsvc.problems import RoleMissing
from authsvc.roles import PATTERN, is_role

P = ParamSpec("P")
R = TypeVar("R")


def requires_role(role: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Allow only access tokens with this role to call the view.

    It wraps the view instead of marking it as `@public` does: a mark that another decorator
    loses would leave the view open, and a method of a class-based view cannot be marked.

    Raises:
        ValueError: a role cannot have that name.
        RoleMissing: from the view, if the token does not have the role.
    """
    if not is_role(role):
        raise ValueError(f"{role!r} is not the name of a role: it must match {PATTERN}")

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def with_role(*args: P.args, **kwargs: P.kwargs) -> R:
            if role not in current_access_token().roles:
                raise RoleMissing(role)
            return cast(R, current_app.ensure_sync(view)(*args, **kwargs))

        with_role.authsvc_role = role  # type: ignore[attr-defined]  # for the API's description
        return with_role

    return decorate


def required_role(view: Callable[..., object]) -> str | None:
    """Return the role that the view requires with `@requires_role`."""
    return cast(str | None, getattr(view, "authsvc_role", None))
