"""Render every error as a problem, the framework's and the database's included."""

import re
import sqlite3
from http import HTTPStatus

from flask import Flask, Response, current_app
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import InternalError as DatabaseInternalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
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
    """Render an error of Flask or Werkzeug, or one that an operator's view raises by `abort`."""
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
    return respond(original.status_code, code, detail, {}, kept)
