"""The routes that declare their responses, and the problems that a route's kind implies."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from authsvc.guard.access_token import is_public
from authsvc.guard.asked_by_proxy import is_asked_by_proxy
from authsvc.guard.cross_origin import SAFE_METHODS
from authsvc.guard.device_headers import is_given_device_proof
from authsvc.guard.proof_header import is_given_proof
from authsvc.guard.refresh_cookie import is_given_refresh_cookie
from authsvc.guard.roles import required_role
from authsvc.guard.step_up import needs_reauthentication
from authsvc.openapi.docstrings import Docstring
from authsvc.problems import (
    AccessTokenRefused,
    CrossOriginRefused,
    InternalError,
    InvalidRequest,
    NotFound,
    Problem,
    ReauthenticationRequired,
    RefreshTokenMissing,
    RequestTooLarge,
    RoleMissing,
    ServiceUnavailable,
    UnsupportedMediaType,
    ValidationFailed,
    every_problem,
)
from authsvc.web.inputs import body_of, form_of, query_of
from authsvc.web.outputs import Answer, answer_of

_PARAMETER = re.compile(r"<(?:(\w+)[^:>]*:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One method of one path, with what its view declares.

    Args:
        rule: Flask's rule.
        method: the HTTP method, in capitals.
        view: the view function.
        answer: the response that the view declares.
        name: the operationId.
    """

    rule: Rule
    method: str
    view: Callable[..., Any]
    answer: Answer
    name: str

    @property
    def path(self) -> str:
        """The path in OpenAPI's notation."""
        return _PARAMETER.sub(r"{\2}", str(self.rule.rule))

    @property
    def parameters(self) -> dict[str, str]:
        """The names of the path's parameters, each with its type."""
        return {name: kind or "string" for kind, name in _PARAMETER.findall(self.rule.rule)}

    @property
    def tag(self) -> str:
        """The blueprint's name; for a route without one, the view's."""
        return str(self.rule.endpoint).removeprefix("authsvc.").partition(".")[0]

    @property
    def is_own(self) -> bool:
        """Whether it is the operator's own and not the service's."""
        return not self.view.__module__.startswith("authsvc.")

    @property
    def docstring(self) -> Docstring:
        return Docstring.of(self.view.__doc__)

    @property
    def body(self) -> type[BaseModel] | None:
        """The type of the request's body."""
        return body_of(self.view)

    @property
    def form(self) -> type[BaseModel] | None:
        """The type of the request's body if it is a form, which some routes take too."""
        return form_of(self.view)

    @property
    def query(self) -> type[BaseModel] | None:
        """The type of the query string."""
        return query_of(self.view)

    @property
    def is_protected(self) -> bool:
        return not is_public(self.view)

    @property
    def takes_refresh_cookie(self) -> bool:
        return is_given_refresh_cookie(self.view)

    @property
    def takes_proof(self) -> bool:
        return is_given_proof(self.view)

    @property
    def takes_device_proof(self) -> bool:
        return is_given_device_proof(self.view)

    @property
    def opens_session(self) -> bool:
        """Whether its response sets the refresh cookie, for a session that a proof may bind."""
        return (
            self.takes_proof and self.answer.status == 200 and "Set-Cookie" in self.answer.headers
        )

    @property
    def needs_refresh_cookie(self) -> bool:
        return RefreshTokenMissing in self.answer.may

    @property
    def problems(self) -> list[type[Problem]]:
        """The problems that the route may answer with, in the order of their tree."""
        possible = {kind.code: kind for kind in (*self.answer.may, *self._common_problems())}
        codes = dict.fromkeys(kind.code for kind in every_problem())
        return [possible[code] for code in codes if code in possible]

    def _common_problems(self) -> Iterator[type[Problem]]:
        changes_something = self.method not in SAFE_METHODS
        yield InternalError
        if self.is_protected:
            yield from every_problem(AccessTokenRefused)
        if required_role(self.view) is not None:
            yield RoleMissing
        if needs_reauthentication(self.view):
            yield ReauthenticationRequired
        if self.is_protected or self.body:
            yield InvalidRequest
            if not is_asked_by_proxy(self.view):  # the access token can be in the body
                yield from (RequestTooLarge, UnsupportedMediaType)
        if self.query or (self.body and (self.body.model_fields or self.is_own)):
            yield ValidationFailed  # nothing is wrong with a member of `{}`
        if self.parameters:
            yield NotFound
        if changes_something:
            yield CrossOriginRefused
        if changes_something or self.is_protected:  # a guard needs a fresh revocation list
            yield ServiceUnavailable


def declared_routes(app: Flask) -> list[Route]:
    """Return the app's routes that declare their responses, in the order of registration."""
    names: set[str] = set()
    return [
        Route(rule, method, view, answer, _name(rule, method, answer, names))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if (answer := answer_of(view := app.view_functions[rule.endpoint])) is not None
    ]


def _name(rule: Rule, method: str, answer: Answer, taken: set[str]) -> str:
    """Return an operationId that no route before has: the shortest that is free."""
    endpoint = str(rule.endpoint).replace(".", "_")
    full = f"{endpoint}_{method.lower()}"
    numbered = (f"{full}_{number}" for number in count(2))
    choices = chain((answer.operation_id, endpoint, full), numbered)
    name = next(choice for choice in choices if choice not in taken)
    taken.add(name)
    return name
