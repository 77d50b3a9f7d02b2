"""Flask-CORS, flask-talisman and Flask-Limiter: hooks around every response."""

import pytest
from flask import Blueprint, Flask
from flask_cors import CORS, cross_origin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman

from authsvc.guard import public
from authsvc.web.headers import HSTS
from tests.conftest import MakeApp
from tests.extensions.conftest import MakeGuarded
from tests.guard.issuer import ISSUER
from tests.support.guard_calls import accepted, assert_protected, call, elsewhere
from tests.support.responses import assert_problem

PAGE = "https://app.example.com"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
ORIGIN = "Access-Control-Allow-Origin"


@pytest.mark.once
@pytest.mark.parametrize("options", [{}, {"supports_credentials": True}, {"origins": [PAGE]}])
def test_beside_flask_cors_the_service_sends_each_header_once(
    make_app: MakeApp, options: dict[str, object]
) -> None:
    app = make_app(issuer=ISSUER, allowed_origins=[PAGE])
    CORS(app, **options)
    for method in ("GET", "OPTIONS"):
        for path in ("/api/me", "/healthz"):
            answer = call(app, method, path, headers=PREFLIGHT)
            assert answer.headers.getlist(ORIGIN) == [PAGE]
            names = [name for name, _ in answer.headers if name.startswith("Access-Control-")]
            assert len(names) == len(set(names))
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("scope", ["app", "blueprint"])
def test_elsewhere_flask_cors_adds_its_headers_to_preflights_and_refusals(scope: str) -> None:
    app = elsewhere()
    api = Blueprint("api", __name__, url_prefix="/api")
    api.get("/notes")(lambda: "notes")
    CORS(app if scope == "app" else api, origins=[PAGE])
    app.register_blueprint(api)
    preflight = call(app, "OPTIONS", "/api/notes", headers=PREFLIGHT)
    assert (preflight.status_code, preflight.headers.getlist(ORIGIN)) == (200, [PAGE])
    refused = call(app, "GET", "/api/notes", headers={"Origin": PAGE})
    assert refused.headers.getlist(ORIGIN) == [PAGE]
    assert_problem(refused, 401, "access_token_missing")
    stranger = {**PREFLIGHT, "Origin": "https://attacker.example"}
    assert ORIGIN not in call(app, "OPTIONS", "/api/notes", headers=stranger).headers


def test_elsewhere_the_decorator_of_flask_cors_does_not_answer_preflights() -> None:
    """As docs/extensions.md says: a preflight runs no view, and so no decorator of one."""
    app = elsewhere()
    app.get("/notes")(cross_origin(origins=[PAGE])(lambda: "notes"))
    assert ORIGIN not in call(app, "OPTIONS", "/notes", headers=PREFLIGHT).headers
    assert accepted(app, "/notes", headers={"Origin": PAGE}).headers[ORIGIN] == PAGE


@pytest.mark.once
def test_beside_talisman_the_service_sends_each_header_once(make_app: MakeApp) -> None:
    app = make_app(issuer=ISSUER)
    Talisman(app, force_https=False)
    for path in ("/healthz", "/docs", "/api/me", "/nowhere"):
        answer = app.test_client().get(path, base_url=ISSUER)
        names = [name.lower() for name, _ in answer.headers]
        assert len(names) == len(set(names))
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31556926")
    assert call(app, "GET", "/healthz").status_code == 200  # a probe, by plain HTTP


@pytest.mark.once
def test_talisman_redirects_probes_unless_told_otherwise(make_app: MakeApp) -> None:
    app = make_app(issuer=ISSUER)
    Talisman(app)
    assert call(app, "GET", "/healthz").status_code == 302


@pytest.mark.once
def test_without_talisman_hsts_is_the_services_own(make_app: MakeApp) -> None:
    answer = make_app(issuer=ISSUER).test_client().get("/healthz", base_url=ISSUER)
    assert answer.headers.getlist(HSTS[0]) == [HSTS[1]]


def test_elsewhere_talisman_works_as_it_is() -> None:
    app = elsewhere()
    Talisman(app)
    app.get("/")(lambda: "home")
    refused = app.test_client().get("/", base_url="https://notes.example.com")
    assert_problem(refused, 401, "access_token_missing")
    assert refused.headers["X-Frame-Options"] == "SAMEORIGIN"


def add_limits(app: Flask) -> Flask:
    limits = {"default_limits": ["2 per hour"], "headers_enabled": True}
    Limiter(get_remote_address, app=app, storage_uri="memory://", **limits)
    app.get("/limited", endpoint="limited")(public(lambda: "limited"))
    app.get("/closed", endpoint="closed")(lambda: "closed")
    return app


@pytest.mark.once
def test_a_limit_of_flask_limiter_is_the_problem_of_a_limit(make_app: MakeApp) -> None:
    app = add_limits(make_app(issuer=ISSUER))
    for _ in range(2):
        assert call(app, "GET", "/limited").text == "limited"
    answer = call(app, "GET", "/limited")
    assert_problem(answer, 429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


@pytest.mark.once
def test_refusals_are_not_counted_by_flask_limiter(make_guarded: MakeGuarded) -> None:
    app = add_limits(make_guarded())
    for _ in range(3):
        assert_protected(app, "/closed")
    assert accepted(app, "/closed").text == "closed"
