"""flask-smorest, which replaces the app's handler of the framework's errors."""

import pytest
from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint, abort
from marshmallow import Schema, fields

from authsvc.guard import public, requires_role
from tests.conftest import MakeApp
from tests.extensions.conftest import MakeGuarded
from tests.guard.issuer import token_by
from tests.support.guard_calls import KEY, accepted, assert_protected, call
from tests.support.responses import assert_problem

pytestmark = pytest.mark.once

SETTINGS = {
    "API_TITLE": "Notes",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/notes-api",
}


class Note(Schema):
    text = fields.String(required=True)


notes = Blueprint("notes", __name__, url_prefix="/notes")


@notes.route("/")
class Notes(MethodView):
    @notes.response(200, Note)
    def get(self) -> dict[str, str]:
        return {"text": "noted"}

    @notes.arguments(Note)
    @notes.response(201, Note)
    @requires_role("admin")
    def post(self, note: dict[str, str]) -> dict[str, str]:
        return note

    def delete(self) -> None:
        abort(404, message="No such note.")


def with_api(app: Flask) -> Flask:
    app.config.update(SETTINGS)
    Api(app).register_blueprint(notes)
    return app


@pytest.fixture
def app(make_guarded: MakeGuarded) -> Flask:
    return with_api(make_guarded())


def test_its_views_are_protected_and_work_as_they_are(app: Flask) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert_protected(app, "/notes/", method)
    assert accepted(app, "/notes/").json == {"text": "noted"}
    note = {"text": "mine"}
    assert accepted(app, "/notes/", "POST", roles=("admin",), json=note).json == note
    assert_problem(call(app, "POST", "/notes/", token_by(KEY), json=note), 403, "forbidden")


def test_its_own_errors_stay_its_own(app: Flask) -> None:
    answer = call(app, "POST", "/notes/", token_by(KEY), json={})
    assert answer.json["errors"] == {"json": {"text": ["Missing data for required field."]}}
    answer = call(app, "DELETE", "/notes/", token_by(KEY))
    assert (answer.status_code, answer.json["message"]) == (404, "No such note.")


def test_its_document_can_be_made_public(app: Flask) -> None:
    assert_protected(app, "/notes-api/openapi.json")
    public(app.view_functions["api-docs.openapi_json"])
    assert "/notes/" in call(app, "GET", "/notes-api/openapi.json").json["paths"]


def test_the_services_own_routes_keep_their_errors(make_app: MakeApp) -> None:
    app = with_api(make_app())
    large = {"email": "a" * 20_000, "password": "b"}
    assert_problem(call(app, "POST", "/auth/login", json=large), 413, "request_too_large")
    app.view_functions["authsvc.operations.healthz"] = public(lambda: {}["canary"])
    assert_problem(call(app, "GET", "/healthz"), 500, "internal_error")
