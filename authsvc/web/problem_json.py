"""Responses in the form of a problem: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, json

from authsvc.problems import Problem
from authsvc.web import log_context

MEDIA = "application/problem+json"


def render(problem: Problem) -> Response:
    """Return the problem as a response (RFC 9457 section 3)."""
    return respond(
        problem.status, problem.code, problem.detail, problem.members(), problem.headers()
    )


def respond(
    status: int, code: str, detail: str, members: Mapping[str, Any], headers: Mapping[str, str]
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
        "type": f"/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
