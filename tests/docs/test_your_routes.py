"""docs/your-routes.md, as a reader would do it."""

import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from flask import Flask
from openapi_spec_validator import validate

from authsvc import clock
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.people import Person
from tests.support.responses import assert_problem, claims
from tests.support.running_service import ROOT

pytestmark = pytest.mark.once


def listing() -> str:
    """Return the page's Python."""
    text = (ROOT / "docs" / "your-routes.md").read_text(encoding="utf-8")
    [found] = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def notes_app(make_app: MakeApp, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service with the listing's blueprint."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "listed_notes.py").write_text(listing())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        app = make_app()
        app.register_blueprint(import_module("listed_notes").notes)
    return app


@pytest.fixture
def writer(notes_app: Flask, alice: Person) -> Person:
    alice.app = notes_app
    return alice.logged_in()


def test_the_routes_are_described_with_security_errors_and_schemas(notes_app: Flask) -> None:
    description = Description(notes_app)
    validate(description.document)
    keep = description.operation("POST", "/api/notes")
    assert keep.description["operationId"] == "keep_note"
    assert keep.description["security"] == [{"access_token": []}]
    taken = keep.description["requestBody"]["content"]["application/json"]["schema"]
    members = description.resolved(taken)["properties"]
    assert members["text"]["description"] == "What to remember."
    assert (members["text"]["minLength"], members["text"]["maxLength"]) == (1, 1000)
    assert description.codes(keep) >= {
        *("too_many_notes", "validation_failed", "access_token_missing", "invalid_request"),
        *("request_too_large", "unsupported_media_type", "cross_origin_refused"),
    }
    delete = description.operation("DELETE", "/api/notes/019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f")
    [parameter] = delete.description["parameters"]
    assert parameter["schema"] == {"type": "string", "format": "uuid"}
    assert "not_found" in description.codes(delete)


def test_the_answers_are_as_described(notes_app: Flask, writer: Person) -> None:
    description = Description(notes_app)
    kept = writer.call("POST", "/api/notes", json={"text": "Milk", "due": "2026-12-24"})
    description.assert_describes(kept)
    assert (kept.status_code, kept.json["due"]) == (201, "2026-12-24")
    assert kept.json["owner"] == claims(writer.access_token)["sub"]
    for status in (204, 404):
        gone = writer.call("DELETE", f"/api/notes/{kept.json['id']}")
        assert gone.status_code == status
        description.assert_describes(gone)
    assert gone.json["detail"] == "You have no such note."


def test_a_login_five_minutes_ago_deletes_no_notes(notes_app: Flask, writer: Person) -> None:
    description = Description(notes_app)
    operation = description.operation("DELETE", "/api/notes")
    assert "reauthentication_required" in description.codes(operation)
    with time_machine.travel(clock.now() + timedelta(seconds=301), tick=False):
        refused = writer.call("DELETE", "/api/notes")
        assert_problem(refused, 401, "reauthentication_required")
        assert 'max_age="300"' in refused.headers["WWW-Authenticate"]
        description.assert_describes(refused)
        assert writer.logged_in().call("DELETE", "/api/notes").status_code == 204


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("/text", "missing")),
        ({"text": ""}, ("/text", "too_short")),
        ({"text": "a" * 1001}, ("/text", "too_long")),
        ({"text": 1}, ("/text", "wrong_type")),
        ({"text": "a", "due": "tomorrow"}, ("/due", "invalid_format")),
    ],
)
def test_a_wrong_body_is_refused_with_codes(
    notes_app: Flask, writer: Person, body: dict[str, Any], expected: tuple[str, str]
) -> None:
    answer = writer.call("POST", "/api/notes", json=body)
    assert_problem(answer, 422, "validation_failed")
    assert [(one["pointer"], one["code"]) for one in answer.json["errors"]] == [expected]
    Description(notes_app).assert_describes(answer)


def test_the_page_explains_the_problems_of_the_operators_own(
    notes_app: Flask, writer: Person
) -> None:
    full = [writer.call("POST", "/api/notes", json={"text": "a"}) for _ in range(101)][-1]
    assert_problem(full, 409, "too_many_notes")
    Description(notes_app).assert_describes(full)
    page = notes_app.test_client().get("/docs").text
    assert f'id="{full.json["type"].partition("#")[2]}"' in page
    assert "An account can keep a hundred notes." in page


def test_a_stranger_is_refused(notes_app: Flask) -> None:
    answer = notes_app.test_client().post("/api/notes", json={"text": "a"})
    assert_problem(answer, 401, "access_token_missing")
