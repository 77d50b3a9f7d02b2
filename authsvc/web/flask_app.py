"""Flask without cookie sessions, with pydantic's JSON, and with whole bodies or none."""

from collections.abc import Callable
from functools import cache
from inspect import CO_COROUTINE
from types import FunctionType, MethodType
from typing import Any, Never

from flask import Flask, Request, Response
from flask.json.provider import DefaultJSONProvider
from flask.sessions import NullSession, SessionInterface, SessionMixin
from pydantic_core import to_json
from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import Rule

from authsvc.web.whole_body import WholeBodyRequest


class SwitchedOff(NullSession):
    """A session that is empty, and cannot be written."""

    def _fail(self, *args: Any, **kwargs: Any) -> Never:
        raise RuntimeError(
            "authsvc switches Flask's session off. Keep what belongs to a person in your own "
            "tables, by current_access_token().sub. docs/extensions.md says what extensions need."
        )

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = update = setdefault = _fail


class NoCookieSessions(SessionInterface):
    """Switches Flask's `session` off: writing to it raises an error at once."""

    _none = SwitchedOff()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return self._none

    def is_null_session(self, obj: object) -> bool:
        return True

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save nothing."""


class CompiledJSON(DefaultJSONProvider):
    """Flask's JSON, except that pydantic's serializer writes what a view returns."""

    sort_keys = False

    def response(self, *args: Any, **kwargs: Any) -> Response:
        value = self._prepare_response_obj(args, kwargs)
        return Response(to_json(value, fallback=self.default) + b"\n", mimetype=self.mimetype)


class EveryStatus(Aborter):
    """Lets `abort` raise every error status, also those that Werkzeug has no exception for.

    A response is sent as it is, except for an error without a body, which becomes a problem.
    """

    def __call__(self, code: Any, *args: Any, **kwargs: Any) -> Never:
        if isinstance(code, Response) and code.status_code >= 400 and not code.get_data():
            error = HTTPException(response=code)
            error.code = code.status_code  # without it Flask calls no handler
            raise error
        if isinstance(code, int) and 400 <= code < 600 and code not in self.mapping:
            self.mapping[code] = type(f"Status{code}", (HTTPException,), {"code": code})
        super().__call__(code, *args, **kwargs)


class LazyRule(Rule):
    """A rule whose builder of URLs is compiled when a URL is built, as by `url_for`.

    The service builds none, and the builders are three quarters of the work of `create_app`.
    """

    def _compile_builder(self, *args: Any, **kwargs: Any) -> Callable[..., tuple[str, str]]:
        compiled = cache(lambda: super(LazyRule, self)._compile_builder(*args, **kwargs))
        return lambda rule, /, **values: compiled()(rule, **values)


class Service(Flask):
    """The Flask class of the service."""

    aborter_class = EveryStatus
    url_rule_class = LazyRule
    request_class = WholeBodyRequest
    session_interface = NoCookieSessions()
    json_provider_class = CompiledJSON

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that can be called: Flask's own, which an `async def` needs.

        Flask calls this three times and more in each request. Its check costs ten calls each time,
        which a plain function without attributes of its own does not need.
        """
        plain = func.__func__ if type(func) is MethodType else func
        if type(plain) is FunctionType and not (
            plain.__code__.co_flags & CO_COROUTINE or plain.__dict__
        ):
            return func
        return super().ensure_sync(func)
