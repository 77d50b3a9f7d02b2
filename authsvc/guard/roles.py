"""Which role a view asks for."""

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
    """Let only those call this view whose access token bears the role.

    It wraps the view instead of marking it as `@public` does: a mark that another decorator
    loses would leave the view open, and a method of a class-based view bears none.

    Raises:
        ValueError: no role can have that name.
        RoleMissing: from the view, where the token does not bear it.
    """
    if not is_role(role):
        raise ValueError(f"{role!r} is not the name of a role, {PATTERN}")

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def for_some(*args: P.args, **kwargs: P.kwargs) -> R:
            if role not in current_access_token().roles:
                raise RoleMissing(role)
            return cast(R, current_app.ensure_sync(view)(*args, **kwargs))

        return for_some

    return decorate
