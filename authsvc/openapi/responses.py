"""A route's responses as OpenAPI describes them: its success, and its problems by status."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any

from authsvc.openapi.problem_schemas import component_name, explanation, of_problems
from authsvc.openapi.routes import Route
from authsvc.openapi.schemas import Schemas
from authsvc.problems import (
    Fault,
    FaultCode,
    Problem,
    SecondFactorRequired,
    ValidationFailed,
    every_problem,
)
from authsvc.web.etag import REVALIDATED
from authsvc.web.headers import DEFAULTS, HSTS
from authsvc.web.problem_json import MEDIA as PROBLEM_JSON
from authsvc.web.problem_json import members_of

_MEANINGS = {
    "Cache-Control": "What caches may do; `no-store` if the response is about a person.",
    "Content-Security-Policy": "What a browser may load for the response.",
    "X-Content-Type-Options": "The browser must not guess another content type.",
    "Referrer-Policy": "The browser sends no URL of this service to other sites.",
    "X-Request-ID": "The request's id in the log: the id that the client sent, if it is "
    "1 to 64 of `A-Z a-z 0-9 . _ -`, otherwise a new one.",
    "Strict-Transport-Security": "Only over HTTPS: the browser uses HTTPS from then on.",
}
_EXAMPLES = {**dict(DEFAULTS), "X-Request-ID": "9f86d081884c7d65", HSTS[0]: HSTS[1]}


def shared_headers() -> dict[str, Any]:
    """Return the headers of every response, for `components`."""
    return {
        name: {
            "description": meaning,
            "required": name != HSTS[0],
            "schema": {"type": "string"},
            "example": _EXAMPLES[name],
        }
        for name, meaning in _MEANINGS.items()
    }


def shared_responses(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the responses that `responses_of` refers to, for `components`."""
    alone = {kinds[0] for route in routes for kinds in _by_status(route) if _is_shared(kinds)}
    return {component_name(kind): _of_problems([kind]) for kind in every_problem() if kind in alone}


def _is_shared(kinds: Sequence[type[Problem]]) -> bool:
    """Return whether the response is one problem, without the headers of a special case of it."""
    return len(kinds) == 1 and "code" in vars(kinds[0])


def responses_of(route: Route, schemas: Schemas) -> dict[str, Any]:
    """Return the responses of a route by status."""
    answer = route.answer
    success: dict[str, Any] = {
        "description": f"{HTTPStatus(answer.status).phrase}.",
        "headers": _headers(answer.headers),
    }
    if answer.media is not None:
        success["content"] = {answer.media: {"schema": schemas.answered_by(route)}}
    responses = {str(answer.status): success}
    if answer.headers is REVALIDATED:
        responses["304"] = {
            "description": "The client's copy is current.",
            "headers": _headers(answer.headers),
        }
    return responses | {str(kinds[0].status): _problems(kinds) for kinds in _by_status(route)}


def example(kind: type[Problem]) -> dict[str, Any]:
    """Return the JSON of a problem."""
    return members_of(kind.status, kind.code, kind.detail, _more_members(kind))


def _more_members(kind: type[Problem]) -> Mapping[str, Any]:
    if issubclass(kind, ValidationFailed):
        breached = "This password is on lists that attackers try first. Choose another."
        return ValidationFailed([Fault("/password", breached, FaultCode.BREACHED)]).members()
    if issubclass(kind, SecondFactorRequired):
        return SecondFactorRequired(["totp", "recovery_code"]).members()
    return {}


def _by_status(route: Route) -> list[list[type[Problem]]]:
    """Return the route's problems, those with the same status together."""
    in_order = sorted(route.problems, key=lambda kind: kind.status)
    return [list(kinds) for _, kinds in groupby(in_order, key=lambda kind: kind.status)]


def _problems(kinds: Sequence[type[Problem]]) -> dict[str, Any]:
    if _is_shared(kinds):
        return {"$ref": f"#/components/responses/{component_name(kinds[0])}"}
    return _of_problems(kinds)


def _of_problems(kinds: Sequence[type[Problem]]) -> dict[str, Any]:
    added = {name: meaning for kind in kinds for name, meaning in kind.adds.items()}
    required = set.intersection(*(set(kind.adds) for kind in kinds))
    examples = {kind.code: {"summary": kind.detail, "value": example(kind)} for kind in kinds}
    content = {"schema": of_problems(kinds), "examples": examples}
    return {
        "description": explanation(kinds[0]) if len(kinds) == 1 else _choice(kinds),
        "headers": _headers(added, required),
        "content": {PROBLEM_JSON: content},
    }


def _choice(kinds: Sequence[type[Problem]]) -> str:
    return " ".join(f"`{kind.code}`: {kind.detail}" for kind in kinds)


def _headers(own: Mapping[str, str], required: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the headers of a response: its own, and those of every response.

    Args:
        own: the meaning of each header of its own.
        required: those of its own that are always present; by default all.
    """
    described = {
        name: {
            "description": meaning,
            "required": required is None or name in required,
            "schema": {"type": "integer" if name == "Retry-After" else "string"},
        }
        for name, meaning in own.items()
    }
    shared = {name: {"$ref": f"#/components/headers/{name}"} for name in _MEANINGS}
    return described | shared
