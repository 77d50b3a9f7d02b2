"""Responses in the form of a problem: application/problem+json (RFC 9457)."""

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

from flask import Flask, Response, current_app, json, request

from authsvc.problems import Problem
from authsvc.web import log_context
from authsvc.web.problem_types import type_of
from authsvc.web.statuses import phrase

MEDIA = "application/problem+json"
_EARLY = "authsvc.respond_early"


def render(problem: Problem) -> Response:
    """Return the problem as a response (RFC 9457 section 3)."""
    return respond(
        problem.status, problem.code, problem.detail, problem.members(), problem.headers()
    )


def respond(
    status: int,
    code: str,
    detail: str,
    members: Mapping[str, Any],
    headers: Mapping[str, str] | list[tuple[str, str]],
) -> Response:
    """Return a response in the form of a problem, for any error."""
    log_context.bind(code=code)
    body = json.dumps(members_of(status, code, detail, members), separators=(",", ":"))
    response = Response(body, status, mimetype=MEDIA)
    response.headers.extend(headers)
    return response


def members_of(status: int, code: str, detail: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the JSON: the usual ones, then the problem's own."""
    return {
        "type": type_of(code),
        "title": phrase(status),
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }


def response_to(error: Exception) -> Response:
    """Return the response to an error: that of the app's own handler for its kind, or ours.

    Hooks return it instead of raising the error, because an extension may take over the handling
    of what is raised: Flask-RESTX makes a 500 of it. A handler for every `Exception` is not asked.
    """
    handler = _handler_for(error)
    # Never None, which would let a hook's request pass: make_response refuses it.
    return current_app.make_response(current_app.ensure_sync(handler)(error))


def respond_early(app: Flask, *kinds: type[Exception]) -> None:
    """Respond to what a view raises before an extension takes over the handling of it.

    Args:
        app: the app; a second call changes nothing.
        kinds: the exceptions, for which the app has handlers.
    """
    if app.extensions.setdefault(_EARLY, kinds) is not kinds:
        return
    dispatch = app.dispatch_request

    def dispatch_request(*args: Any) -> Any:
        try:
            return dispatch(*args)
        except kinds as error:
            return response_to(error)

    app.dispatch_request = dispatch_request  # type: ignore[method-assign]


def _handler_for(error: Exception) -> Callable[[Any], Any]:
    kinds = list(takewhile(lambda kind: kind is not Exception, type(error).__mro__))
    for name in (*request.blueprints, None):
        handlers = current_app.error_handler_spec[name][None]
        for kind in kinds:
            if kind in handlers:
                return handlers[kind]
    return render
