"""Flask-RESTX, which takes over the handling of what is raised in its routes."""

import pytest
from flask import Blueprint, Flask
from flask_restx import Api, Resource, fields
from sqlalchemy.exc import OperationalError

from authsvc.guard import current_access_token, public, requires_role
from authsvc.problems import NotFound, Problem
from tests.conftest import MakeApp
from tests.extensions.conftest import MakeGuarded
from tests.extensions.listings import run_listing
from tests.guard.issuer import ISSUER, token_by
from tests.support.guard_calls import KEY, accepted, assert_protected, call
from tests.support.responses import assert_problem

pytestmark = pytest.mark.once


def add_api(app: Flask, **options: object) -> Api:
    """Add an API whose views do what views do."""
    own = Blueprint("own", __name__, url_prefix="/own")
    api = Api(own)
    model = api.model("Note", {"text": fields.String})

    class Notes(Resource):
        def get(self) -> dict[str, str]:
            return {"of": str(current_access_token().sub)}

        @api.marshal_with(model)
        @requires_role("admin")
        def post(self) -> dict[str, str]:
            return {"text": "noted"}

        def delete(self) -> None:
            raise NotFound("No such note.")

        def put(self) -> None:
            api.abort(409, "Taken.")

    class Opened(Resource):
        decorators = (public,)

        def get(self) -> str:
            return "open"

    api.add_resource(Notes, "/notes")
    api.add_resource(Opened, "/open")
    app.register_blueprint(own, **options)
    return api


@pytest.fixture
def app(make_guarded: MakeGuarded) -> Flask:
    app = make_guarded()
    add_api(app)
    return app


def test_a_resource_is_protected_and_refuses_as_every_route_does(app: Flask) -> None:
    for method in ("GET", "POST"):
        assert_protected(app, "/own/notes", method)
    assert_protected(app, "/own/swagger.json")
    assert len(accepted(app, "/own/notes").json["of"]) == 36


def test_a_resource_can_be_public(app: Flask) -> None:
    assert call(app, "GET", "/own/open").json == "open"


def test_the_page_of_the_api_can_be_made_public(app: Flask) -> None:
    own = {'"api.doc", "api.specs"': '"own.doc", "own.specs"'}
    app.view_functions.setdefault("static", lambda name: name)  # the service has none
    run_listing("restx_doc.static", app, own)
    assert "swagger" in call(app, "GET", "/own/").text
    assert call(app, "GET", "/own/swagger.json").json["basePath"] == "/own"
    assert call(app, "GET", "/swaggerui/swagger-ui.css").status_code == 200
    assert_protected(app, "/own/notes")


def test_a_problem_that_a_resource_raises_is_that_problem(app: Flask) -> None:
    answer = call(app, "DELETE", "/own/notes", token_by(KEY))
    assert_problem(answer, 404, "not_found")
    assert answer.json["detail"] == "No such note."


def test_a_resource_can_require_a_role(app: Flask) -> None:
    answer = call(app, "POST", "/own/notes", token_by(KEY, roles=("editor",)))
    assert_problem(answer, 403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert accepted(app, "/own/notes", "POST", roles=("admin",)).json == {"text": "noted"}


def test_a_resource_without_its_database_is_a_503(make_app: MakeApp) -> None:
    app = make_app(issuer=ISSUER)
    api = add_api(app)

    class Stored(Resource):
        def get(self) -> None:
            raise OperationalError("SELECT 1", {}, Exception())

    api.add_resource(Stored, "/stored")
    answer = call(app, "GET", "/own/stored", token_by(KEY))
    assert_problem(answer, 503, "service_unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_the_apis_own_errors_stay_its_own(app: Flask) -> None:
    answer = call(app, "PUT", "/own/notes", token_by(KEY))
    assert (answer.status_code, answer.json) == (409, {"message": "Taken."})


def test_a_refusal_of_another_origin_is_a_403(make_guarded: MakeGuarded) -> None:
    app = make_guarded()
    add_api(app)
    answer = call(
        app, "POST", "/own/notes", token_by(KEY), headers={"Sec-Fetch-Site": "cross-site"}
    )
    if app.name == "authsvc":
        assert_problem(answer, 403, "cross_origin_refused")
    else:
        assert_problem(answer, 403, "forbidden")  # of the role: that app has no such guard


def test_a_handler_of_the_app_is_called_all_the_same(app: Flask) -> None:
    app.register_error_handler(Problem, lambda problem: ({"mine": problem.code}, problem.status))
    for token, method, code in (
        ("", "GET", "access_token_missing"),
        (token_by(KEY), "DELETE", "not_found"),
    ):
        assert call(app, method, "/own/notes", token).json == {"mine": code}
