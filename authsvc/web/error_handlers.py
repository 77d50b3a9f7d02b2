"""Render every error as a problem, the framework's and the database's included."""

import re
import sqlite3

from flask import Flask, Response, current_app
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import InternalError as DatabaseInternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import (
    BadRequestKeyError,
    HTTPException,
    SecurityError,
    default_exceptions,
)
from werkzeug.wrappers import Response as WerkzeugResponse

from authsvc.problems import (
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    RateLimited,
    RequestTooLarge,
    ServiceUnavailable,
    UnsupportedMediaType,
)
from authsvc.web.problem_json import render, respond, respond_early
from authsvc.web.statuses import phrase

_NO_DATABASE = (OperationalError, InterfaceError, DatabaseInternalError, PoolTimeoutError)


def render_problems(app: Flask) -> None:
    """Render every error of the app as a problem, the framework's included."""
    app.register_error_handler(Problem, render)
    app.register_error_handler(HTTPException, _render_http_exception)
    for error in _NO_DATABASE:
        app.register_error_handler(error, _render_database_error)
    respond_early(app, Problem, *_NO_DATABASE)


def keep_problems(app: Flask, blueprint: str) -> None:
    """Render the framework's errors in a blueprint as problems, whatever the app's handlers are.

    flask-smorest replaces the app's handler with its own, for all routes.
    """
    app.error_handler_spec[blueprint][None][HTTPException] = _render_http_exception


def _render_database_error(error: SQLAlchemyError) -> Response:
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        raise error  # wrong SQL or a missing table: what Postgres calls a ProgrammingError
    current_app.logger.warning("the database did not answer: %s", error)
    return render(ServiceUnavailable())


_FRAMEWORK: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        InvalidRequest,
        NotFound,
        MethodNotAllowed,
        RequestTooLarge,
        UnsupportedMediaType,
        RateLimited,
        InternalError,
        ServiceUnavailable,
    )
}


def _render_http_exception(error: HTTPException) -> WerkzeugResponse:
    """Render an error of Flask or Werkzeug, or one that an operator's view raises by `abort`.

    A sentence that the view gives is the `detail`.
    """
    original = error.get_response()
    status = original.status_code
    if status < 400:
        return original
    known = _FRAMEWORK.get(status)
    code = known.code if known else re.sub(r"\W+", "_", phrase(status).lower()).strip("_")
    detail = _given(error) or (known.detail if known else _usual(status) or phrase(status))
    kept = [
        (name, value)
        for name, value in original.headers
        if name.lower() not in ("content-type", "content-length")
    ]
    more = {} if known else {"type": "about:blank"}  # /docs explains only our own problems
    return respond(status, code, detail, more, kept)


def _given(error: HTTPException) -> str | None:
    """Return the error's own sentence, if it has another one than every error of its status."""
    if isinstance(error, (BadRequestKeyError, SecurityError)):
        return None  # Werkzeug's, with a name or a value that the client sent
    given = error.description
    return None if given is None or given == _usual(error.code) else str(given)


def _usual(status: int | None) -> str | None:
    kind = default_exceptions.get(status or 0)
    return None if kind is None else kind.description
