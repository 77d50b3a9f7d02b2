"""Issue 14, number 15: the guard responds to a preflight, without a token and without the view."""

from collections.abc import Callable
from functools import wraps

import pytest
from flask import Flask, Response, make_response
from flask.views import MethodView
from werkzeug.test import TestResponse

from authsvc.guard import AccessTokenGuard, public
from authsvc.guard.cross_origin import MAX_REQUESTED_HEADERS
from tests.conftest import MakeApp
from tests.guard.issuer import ISSUER
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET

ALLOWED = "https://app.example.com"
STRANGER = "https://attacker.example"
USUAL = "Authorization, Content-Type, X-Request-ID"
TRACING = "authorization,baggage,content-type,idempotency-key,sentry-trace,traceparent"


class WithOptions(MethodView):
    def get(self) -> str:
        return "got"

    def options(self) -> str:
        raise AssertionError("a preflight must not run the view")


def cross_origin(view: Callable[[], str]) -> Callable[[], Response]:
    """Decorate a view as Flask-CORS's @cross_origin does."""

    @wraps(view)
    def wrapped() -> Response:
        return make_response(view())

    wrapped.required_methods = {"OPTIONS"}  # type: ignore[attr-defined]
    wrapped.provide_automatic_options = False  # type: ignore[attr-defined]
    return wrapped


def listed() -> str:
    raise AssertionError("a preflight must not run the view")


def decorated() -> str:
    raise AssertionError("a preflight must not run the view")


def opened() -> str:
    raise AssertionError("a preflight must not run the view")


def add_views(app: Flask) -> Flask:
    app.add_url_rule("/class", view_func=WithOptions.as_view("class"))
    app.add_url_rule("/listed", view_func=listed, methods=["GET", "OPTIONS"])
    app.add_url_rule("/decorated", view_func=cross_origin(decorated))
    app.add_url_rule("/public", view_func=public(opened), methods=["GET", "OPTIONS"])
    app.add_url_rule("/plain", endpoint="plain", view_func=lambda: "plain")
    return app


@pytest.fixture(scope="module")
def own(make_app: MakeApp) -> Flask:
    """The service, with an operator's own views."""
    return add_views(make_app(allowed_origins=[ALLOWED]))


@pytest.fixture
def elsewhere() -> Flask:
    """Another app, with the guard alone."""
    app = Flask("elsewhere")
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex())
    return add_views(app)


def preflight(app: Flask, path: str, origin: str = ALLOWED, names: str = "") -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    if names:
        headers["Access-Control-Request-Headers"] = names
    return app.test_client().options(path, headers=headers)


PATHS = ["/class", "/listed", "/decorated", "/public", "/plain"]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_needs_no_token_and_runs_no_view(own: Flask, path: str) -> None:
    answer = preflight(own, path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "OPTIONS" in answer.headers["Allow"]
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_of_another_origin_has_no_cors_header(own: Flask, path: str) -> None:
    answer = preflight(own, path, STRANGER, TRACING)
    assert answer.status_code == 200
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", PATHS)
def test_the_guard_in_another_app_responds_to_preflights_too(elsewhere: Flask, path: str) -> None:
    answer = preflight(elsewhere, path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert_problem(elsewhere.test_client().get("/class"), 401, "access_token_missing")


@pytest.mark.parametrize("missing", ["Origin", "Access-Control-Request-Method"])
@pytest.mark.parametrize("path", ["/class", "/listed", "/decorated"])
def test_another_options_request_still_needs_a_token(own: Flask, path: str, missing: str) -> None:
    headers = {"Origin": ALLOWED, "Access-Control-Request-Method": "GET"}
    del headers[missing]
    answer = own.test_client().options(path, headers=headers)
    assert_problem(answer, 401, "access_token_missing")


def test_a_preflight_of_a_path_without_a_route_is_404(own: Flask) -> None:
    assert_problem(preflight(own, "/nowhere"), 404, "not_found")


@pytest.mark.parametrize("names", [TRACING, "x-a", "X-A, X-B", "x-a ,\tx-b", "!#$%&'*+-.^_`|~9z"])
def test_the_headers_that_a_listed_origin_requests_are_allowed(own: Flask, names: str) -> None:
    answer = preflight(own, "/auth/login", names=names)
    assert answer.headers.getlist("Access-Control-Allow-Headers") == [names]


@pytest.mark.parametrize(
    "names",
    [
        "",
        ",",
        "x-a,",
        "x a",
        "x-a;b",
        "x-a: b",
        "(x)",
        "x-\u00e9",
        "x" * (MAX_REQUESTED_HEADERS + 1),
    ],
)
def test_what_is_not_a_list_of_header_names_is_not_repeated(own: Flask, names: str) -> None:
    answer = preflight(own, "/auth/login", names=names.encode().decode("latin-1"))
    assert answer.headers.getlist("Access-Control-Allow-Headers") == [USUAL]


def test_a_list_of_the_longest_length_is_repeated(own: Flask) -> None:
    names = "x" * MAX_REQUESTED_HEADERS
    answer = preflight(own, "/auth/login", names=names)
    assert answer.headers["Access-Control-Allow-Headers"] == names


def test_exposed_headers_are_ours_and_those_of_the_setting(make_app: MakeApp) -> None:
    """Issue 14, number 16."""
    app = make_app(allowed_origins=[ALLOWED], exposed_headers="X-Total, Link")
    answer = app.test_client().get("/healthz", headers={"Origin": ALLOWED})
    assert answer.headers["Access-Control-Expose-Headers"] == (
        "Retry-After, WWW-Authenticate, X-Request-ID, DPoP-Nonce, X-Total, Link"
    )


@pytest.mark.parametrize(
    "origin",
    ["capacitor://localhost", "tauri://localhost", "chrome-extension://" + "abcdefghijklmnop" * 2],
)
def test_the_page_of_an_app_or_extension_gets_cors_and_may_log_out(
    make_app: MakeApp, origin: str
) -> None:
    """Issue 14, number 16."""
    client = make_app(allowed_origins=[origin]).test_client()
    page = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/auth/logout", headers=page)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    answer = client.post("/auth/logout", headers=page | {"Origin": origin + "x"})
    assert_problem(answer, 403, "cross_origin_refused")
