"""APIFlask, in an app of its own class with the guard."""

import pytest
from apiflask import APIBlueprint, APIFlask, Schema, abort
from apiflask.fields import String

from authsvc.guard import public, requires_role
from tests.guard.issuer import token_by
from tests.support.guard_calls import KEY, accepted, assert_protected, call, elsewhere
from tests.support.responses import assert_problem


class Note(Schema):
    text = String(required=True)


@pytest.fixture
def app() -> APIFlask:
    app = elsewhere(APIFlask("elsewhere"))
    add_notes(app)
    return app


def add_notes(app: APIFlask) -> None:
    notes = APIBlueprint("notes", __name__)

    @notes.get("/notes")
    @notes.output(Note)
    def show() -> dict[str, str]:
        return {"text": "noted"}

    @notes.post("/notes")
    @notes.input(Note)
    @notes.output(Note, status_code=201)
    @requires_role("admin")
    def add(json_data: dict[str, str]) -> dict[str, str]:
        return json_data

    @notes.delete("/notes")
    def remove() -> None:
        abort(404, "No such note.")

    app.register_blueprint(notes)


def test_its_views_are_protected_and_work_as_they_are(app: APIFlask) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert_protected(app, "/notes", method)
    assert accepted(app, "/notes").json == {"text": "noted"}
    note = {"text": "mine"}
    assert accepted(app, "/notes", "POST", roles=("admin",), json=note).json == note
    assert_problem(call(app, "POST", "/notes", token_by(KEY), json=note), 403, "forbidden")


def test_its_own_errors_stay_its_own(app: APIFlask) -> None:
    answer = call(app, "POST", "/notes", token_by(KEY), json={})
    assert (answer.status_code, answer.json["message"]) == (422, "Validation error")
    answer = call(app, "DELETE", "/notes", token_by(KEY))
    assert (answer.status_code, answer.json["message"]) == (404, "No such note.")


def test_its_document_can_be_made_public(app: APIFlask) -> None:
    assert_protected(app, "/docs")
    assert_protected(app, "/openapi.json")
    public(app.view_functions["openapi.spec"])
    assert "/notes" in call(app, "GET", "/openapi.json").json["paths"]


def test_a_guard_of_its_blueprint_leaves_its_document_open() -> None:
    app = APIFlask("elsewhere")
    api = APIBlueprint("api", __name__, url_prefix="/api")
    api.get("/notes")(api.output(Note)(lambda: {"text": "noted"}))
    elsewhere(app, blueprints=[api])
    app.register_blueprint(api)
    assert_protected(app, "/api/notes")
    assert call(app, "GET", "/openapi.json").status_code == 200
