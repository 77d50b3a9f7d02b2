"""An app's own handlers of problems: which is called for a refusal of the guard or of a view."""

from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort

from authsvc.guard import AccessTokenGuard, requires_role
from authsvc.problems import AccessTokenMissing, AccessTokenRefused, Forbidden, Problem
from tests.conftest import MakeApp
from tests.guard.issuer import ISSUER, token_by
from tests.support.guard_calls import KEY, call
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET


@pytest.fixture
def api() -> Blueprint:
    api = Blueprint("api", __name__, url_prefix="/api")
    api.get("/notes")(lambda: "notes")
    api.get("/admin", endpoint="admin")(requires_role("admin")(lambda: "admin"))
    return api


@pytest.fixture
def app(api: Blueprint) -> Flask:
    """An app whose blueprint is registered when the test has added its handlers."""
    app = Flask("elsewhere")
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex())
    app.get("/")(lambda: "home")
    return app


def mine(answer: Any) -> Any:
    """Return a handler that answers with this, and with the code of the problem."""
    return lambda problem: {"by": answer, "code": problem.code}


def test_a_handler_of_a_kind_of_problem_is_called_for_that_kind(app: Flask, api: Blueprint) -> None:
    app.register_error_handler(Problem, mine("problem"))
    app.register_error_handler(AccessTokenMissing, mine("missing"))
    app.register_blueprint(api)
    assert call(app, "GET", "/").json == {"by": "missing", "code": "access_token_missing"}
    assert call(app, "GET", "/", "a.b.c").json["by"] == "problem"
    assert call(app, "GET", "/api/admin", token_by(KEY)).json == {
        "by": "problem",
        "code": "forbidden",
    }


def test_a_handler_of_a_blueprint_comes_before_those_of_the_app(app: Flask, api: Blueprint) -> None:
    app.register_error_handler(AccessTokenMissing, mine("app"))
    api.register_error_handler(AccessTokenRefused, mine("blueprint"))
    api.register_error_handler(Forbidden, mine("blueprint"))
    app.register_blueprint(api)
    assert call(app, "GET", "/").json["by"] == "app"
    assert call(app, "GET", "/api/notes").json["by"] == "blueprint"
    assert call(app, "GET", "/api/admin", token_by(KEY)).json["by"] == "blueprint"


@pytest.mark.parametrize("kind", [Exception, 401, 403, 500])
def test_a_handler_of_every_error_does_not_hide_why_a_request_is_refused(
    app: Flask, api: Blueprint, kind: Any
) -> None:
    app.register_error_handler(kind, lambda error: ("any", 500))
    api.register_error_handler(kind, lambda error: ("any", 500))
    app.register_blueprint(api)
    assert_problem(call(app, "GET", "/api/notes"), 401, "access_token_missing")
    assert_problem(call(app, "GET", "/api/admin", token_by(KEY)), 403, "forbidden")


def test_a_handler_that_answers_nothing_never_lets_a_request_pass(app: Flask) -> None:
    ran: list[str] = []
    app.get("/ran", endpoint="ran")(lambda: ran.append("ran") or "ran")
    app.register_error_handler(Problem, lambda problem: None)
    assert call(app, "GET", "/ran").status_code == 500
    assert ran == []


@pytest.mark.parametrize("answer", ["", "text", ("text", 401), {}, Response("text"), [b"text"]])
def test_a_handler_may_answer_whatever_a_view_may(app: Flask, answer: Any) -> None:
    app.register_error_handler(Problem, lambda problem: answer)
    app.get("/ran", endpoint="ran")(lambda: "the view")
    assert "the view" not in call(app, "GET", "/ran").text


def test_a_handler_may_raise_another_error(app: Flask) -> None:
    app.register_error_handler(Problem, lambda problem: abort(404))
    assert call(app, "GET", "/").status_code == 404


def test_a_refusal_passes_through_the_hooks_of_every_response(app: Flask) -> None:
    @app.after_request
    def add(response: Response) -> Response:
        response.headers["X-Mine"] = "1"
        return response

    assert call(app, "GET", "/").headers["X-Mine"] == "1"


@pytest.mark.once
def test_in_the_service_an_operators_handler_is_called_too(make_app: MakeApp) -> None:
    app = make_app()
    own = Blueprint("own", __name__)
    own.post("/own")(lambda: "own")
    own.register_error_handler(Problem, mine("operator"))
    app.register_blueprint(own)
    assert call(app, "POST", "/own").json["code"] == "access_token_missing"
    crossing = call(app, "POST", "/own", headers={"Sec-Fetch-Site": "cross-site"})
    assert crossing.json == {"by": "operator", "code": "cross_origin_refused"}
    assert_problem(call(app, "GET", "/api/me"), 401, "access_token_missing")
