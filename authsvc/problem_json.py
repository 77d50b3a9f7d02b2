"""How errors are told: every one, the framework's own too, as problem+json (RFC 9457)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, json
from limits.errors import StorageError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import InternalError as DatabaseInternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from authsvc.facts import note
from authsvc.problems import (
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    RequestTooLarge,
    ServiceUnavailable,
    UnsupportedMediaType,
)


def render(problem: Problem) -> Response:
    """The problem as a response (RFC 9457 section 3)."""
    return _response(
        problem.status, problem.code, problem.detail, problem.members(), problem.headers()
    )


def render_problems(app: Flask) -> None:
    """Answer every error of the app, the framework's own too, as a problem."""
    app.register_error_handler(Problem, render)
    app.register_error_handler(HTTPException, _render_http_exception)
    for error in (OperationalError, InterfaceError, DatabaseInternalError, PoolTimeoutError):
        app.register_error_handler(error, _render_database_away)
    app.register_error_handler(StorageError, _render_counts_away)


def _render_database_away(error: SQLAlchemyError) -> Response:
    current_app.logger.warning("the database did not answer: %s", error)
    return render(ServiceUnavailable())


def _render_counts_away(error: StorageError) -> Response:
    current_app.logger.warning("the rate limits' storage did not answer: %s", error.storage_error)
    return render(ServiceUnavailable())


_FRAMEWORK: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        InvalidRequest,
        NotFound,
        MethodNotAllowed,
        RequestTooLarge,
        UnsupportedMediaType,
        InternalError,
        ServiceUnavailable,
    )
}


def _render_http_exception(error: HTTPException) -> WerkzeugResponse:
    """Flask's and Werkzeug's errors, and those that a user's own view raises by `abort`."""
    original = error.get_response()
    if original.status_code < 400:
        return original
    known = _FRAMEWORK.get(original.status_code)
    if known is not None:
        code, detail = known.code, known.detail
    else:
        phrase = HTTPStatus(original.status_code).phrase
        code = re.sub(r"\W+", "_", phrase.lower()).strip("_")
        detail = error.description or phrase
    kept = {
        name: value
        for name, value in original.headers
        if name.lower() not in ("content-type", "content-length")
    }
    return _response(original.status_code, code, detail, {}, kept)


def _response(
    status: int, code: str, detail: str, members: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    note(code=code)
    body = {
        "type": f"/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **members,
    }
    response = Response(
        json.dumps(body, separators=(",", ":")), status, mimetype="application/problem+json"
    )
    response.headers.extend(headers)
    return response
