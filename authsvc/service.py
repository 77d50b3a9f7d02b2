"""Flask, without what an API of tokens has no use for, and without its cost on each request."""

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin


class NoCookieSessions(SessionInterface):
    """Flask's own `session` is not there: whoever uses it is told so at once."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self.make_null_session(app)

    def is_null_session(self, obj: object) -> bool:
        return True

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing is kept."""


class Service(Flask):
    """The Flask class of the service."""

    session_interface = NoCookieSessions()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Flask inspects each view and hook at each call, to see whether it is a coroutine.
        self.ensure_sync: Callable[..., Any] = cache(super().ensure_sync)
