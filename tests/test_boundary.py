"""Nothing is open by accident: which routes are public, and how an operator's own behave."""

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from flask import Blueprint, Flask, request
from flask.views import MethodView

from authsvc.guard import current_access_token, public
from authsvc.guard.access_token import is_public
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /auth/introspect",
    "POST /auth/passkey/options",
    "POST /auth/passkey",
    "POST /auth/reauthenticate",
    "POST /auth/device",
    "POST /auth/device/refresh",
    "POST /auth/password/forgot",
    "POST /auth/password/reset",
    "POST /auth/email/verify",
    "POST /auth/email/change",
    "POST /auth/email/resend",
    "GET /.well-known/jwks.json",
    "GET /<any(''):nothing>",
    "GET /healthz",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/<any('docs.css', 'look.css', 'icon.svg'):name>",
    "GET /static/authsvc.js",
    "GET /static/authsvc-binding.js",
    "GET /static/authsvc-factors.js",
    "GET /readyz",
    "GET /metrics",  # to this machine, or with a token of its own
}
PROTECTED = {
    "GET /auth/verify",
    "ANY /auth/verify",
    "ANY /auth/verify/<any_path:path>",
    "GET /api/me",
    "DELETE /api/me",
    "GET /api/me/activity",
    "PUT /api/me/password",
    "POST /api/me/email",
    "GET /api/me/sessions",
    "DELETE /api/me/sessions",
    "DELETE /api/me/sessions/<uuid:sid>",
    "GET /api/me/factors",
    "POST /api/me/totp",
    "PUT /api/me/totp",
    "DELETE /api/me/totp",
    "POST /api/me/recovery-codes",
    "POST /api/me/passkeys",
    "POST /api/me/passkeys/options",
    "DELETE /api/me/passkeys/<uuid:passkey_id>",
}


class Notes(MethodView):
    def get(self) -> str:
        return "notes"

    def post(self) -> str:
        return "noted"


class OpenNotes(MethodView):
    decorators = (public,)

    def get(self) -> str:
        return "open notes"


class OwnOptions(MethodView):
    def options(self) -> str:
        return "options of my own"


def users_own() -> Blueprint:
    """A blueprint as an operator who builds on authsvc would write it."""
    own = Blueprint("own", __name__)
    own.get("/own")(lambda: {"sub": str(current_access_token().sub)})
    own.post("/own", endpoint="echo")(lambda: {"got": request.get_json()})
    own.get("/open", endpoint="open")(public(lambda: "open"))
    own.get("/confused", endpoint="confused")(public(lambda: str(current_access_token())))
    own.get("/slashed/", endpoint="slashed")(lambda: "slashed")
    own.add_url_rule("/notes", view_func=Notes.as_view("notes"))
    own.add_url_rule("/open-notes", view_func=OpenNotes.as_view("open_notes"))
    own.add_url_rule("/own-options", view_func=OwnOptions.as_view("own_options"))
    return own


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    app = make_app()
    app.register_blueprint(users_own())
    return app


@pytest.fixture
def dave(app: Flask, extended: Flask) -> Person:
    """Dave, who calls the app with the operator's blueprint; `app` empties the tables after."""
    return Person(extended, "dave@example.com", "a door that is ajar").register().logged_in()


@pytest.fixture
def call(dave: Person) -> Callable:
    def call(method: str, path: str, *, token: bool = True, **kwargs: object):
        headers = {"Authorization": f"Bearer {dave.access_token}"} if token else {}
        return dave.call(method, path, headers=headers, **kwargs)

    return call


def test_each_route_of_the_service_is_public_or_protected_as_it_is_written_here(
    mail_app: Flask,
) -> None:
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for rule in mail_app.url_map.iter_rules():
        open_to_all = is_public(mail_app.view_functions[rule.endpoint])
        methods = (rule.methods or {"ANY"}) - {"OPTIONS", "HEAD"}
        found[open_to_all] |= {f"{method} {rule.rule}" for method in methods}
    assert found[True] == PUBLIC
    assert found[False] == PROTECTED


@pytest.mark.parametrize("route", sorted(PROTECTED))
def test_each_protected_route_asks_for_an_access_token(mail_app: Flask, route: str) -> None:
    method, path = re.sub("<uuid:.*>", "00000000-0000-7000-8000-000000000000", route).split()
    path = path.replace("<any_path:path>", "a/b")
    answer = mail_app.test_client().open(path, method=method)
    assert_problem(answer, 401, "access_token_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/own"),
        ("HEAD", "/notes"),
        ("POST", "/own"),
        ("GET", "/notes"),
        ("POST", "/notes"),
        ("GET", "/slashed/"),
        ("OPTIONS", "/own-options"),
    ],
)
def test_a_users_own_routes_are_protected_without_a_line_of_code(
    call: Callable, method: str, path: str
) -> None:
    assert call(method, path, token=False).status_code == 401
    body = {"json": {}} if method == "POST" else {}
    assert call(method, path, **body).status_code == 200


def test_a_users_own_view_can_be_made_public(call: Callable) -> None:
    assert call("GET", "/open", token=False).text == "open"
    assert call("GET", "/open-notes", token=False).text == "open notes"


def test_a_static_folder_is_protected_until_it_is_made_public(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    (tmp_path / "a.css").write_text("h1 {}")
    for name in ("one", "two"):
        folder = Blueprint(name, __name__, static_folder=tmp_path, static_url_path=f"/{name}")
        app.register_blueprint(folder)
    public(app.view_functions["one.static"])
    with app.test_client().get("/one/a.css") as answer:
        assert answer.text == "h1 {}"
    assert_problem(app.test_client().get("/two/a.css"), 401, "access_token_missing")


def test_a_view_is_given_the_claims_and_cannot_change_them(
    call: Callable, dave: Person, extended: Flask
) -> None:
    me = dave.call("GET", "/api/me").json["id"]
    assert call("GET", "/own").json == {"sub": me}
    headers = {"Authorization": f"Bearer {dave.access_token}"}
    with extended.test_request_context("/own", headers=headers):
        extended.preprocess_request()
        claims = current_access_token()
        assert str(claims.sub) == me
        with pytest.raises(FrozenInstanceError):
            claims.sub = claims.sid  # type: ignore[misc]


def test_a_public_view_that_reads_the_claims_is_a_500(call: Callable) -> None:
    assert_problem(call("GET", "/confused"), 500, "internal_error")


@pytest.mark.parametrize(
    "body", [[1, 2, 3], [], {}, "text", 1.5, True, {"a": [{"b": "c" * 16_000}]}]
)
def test_a_users_view_is_given_its_json_body_whatever_it_is(call: Callable, body: object) -> None:
    assert call("POST", "/own", json=body).json == {"got": body}


def test_a_body_with_the_token_reaches_the_view_unchanged(call: Callable, dave: Person) -> None:
    body = {"a": 1, "access_token": dave.access_token}
    assert call("POST", "/own", token=False, json=body).json == {"got": body}


def test_an_app_may_take_larger_bodies_than_the_service_does(
    make_app: MakeApp, dave: Person
) -> None:
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.register_blueprint(users_own())
    body = {"a": ["b" * 500_000], "access_token": dave.access_token}
    assert app.test_client().post("/own", json=body).json == {"got": body}
    assert app.test_client().post("/own", json={"a": "b" * 2_000_000}).status_code == 413


@pytest.mark.parametrize("path", ["/api/me", "/own", "/notes", "/auth/login"])
def test_options_is_answered_without_a_token(call: Callable, path: str) -> None:
    answer = call("OPTIONS", path, token=False)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "OPTIONS" in answer.headers["Allow"]


def test_a_request_without_a_route_gets_its_ordinary_response_without_a_token(
    call: Callable,
) -> None:
    assert_problem(call("GET", "/nowhere", token=False), 404, "not_found")
    answer = call("PUT", "/notes", token=False)
    assert_problem(answer, 405, "method_not_allowed")
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "OPTIONS", "POST"]
    answer = call("GET", "/slashed", token=False)
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/slashed/")


def test_a_body_is_kept_with_its_request_under_an_app_context_of_the_caller(
    extended: Flask, dave: Person
) -> None:
    with extended.app_context():
        sent = [{"number": number, "access_token": dave.access_token} for number in range(2)]
        got = [extended.test_client().post("/own", json=body).json["got"] for body in sent]
    assert got == sent
