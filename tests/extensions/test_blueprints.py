"""An operator's blueprints may have the names that ours have inside the service."""

import pytest
from flask import Blueprint, Flask, url_for

from authsvc.guard import current_access_token, public
from authsvc.tokens.keyring import hmac_key
from tests.conftest import MakeApp
from tests.guard.issuer import token_by
from tests.support.guard_calls import call, elsewhere
from tests.support.people import Person
from tests.support.responses import assert_problem, claims
from tests.support.signing_secrets import ACCESS_SECRET

OURS = ["auth", "resources", "operations", "demo"]


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    """The service with the demo and an operator's blueprints, which are called as ours are."""
    app = make_app(demo=True)
    for name in OURS:
        own = Blueprint(name, __name__, url_prefix=f"/own/{name}")
        own.get("/login", endpoint="login")(lambda: url_for(".login"))
        own.get("/open", endpoint="open")(public(lambda: url_for(".open")))
        app.register_blueprint(own)
    return app


@pytest.mark.once
@pytest.mark.parametrize("name", OURS)
def test_an_operators_blueprint_may_be_called_as_ours_are(
    app: Flask, extended: Flask, name: str
) -> None:
    client = extended.test_client()
    assert client.get(f"/own/{name}/open").text == f"/own/{name}/open"
    assert_problem(client.get(f"/own/{name}/login"), 401, "access_token_missing")
    carol = Person(extended, "carol@example.com", "a lamp that is not lit").register().logged_in()
    bearer = {"Authorization": f"Bearer {carol.access_token}"}
    assert client.get(f"/own/{name}/login", headers=bearer).text == f"/own/{name}/login"
    assert carol.call("GET", "/api/me").status_code == client.get("/demo").status_code == 200


@pytest.mark.once
def test_our_endpoints_have_names_that_only_we_use(extended: Flask) -> None:
    own = {f"{name}.{view}" for name in OURS for view in ("login", "open")}
    ours = {rule.endpoint for rule in extended.url_map.iter_rules()} - own
    assert all(endpoint.startswith("authsvc.") for endpoint in ours)
    with extended.test_request_context():
        assert url_for("authsvc.auth.login") == "/auth/login"
        assert url_for("auth.login") == "/own/auth/login"


@pytest.mark.once
def test_tokens_of_another_issuer_can_be_accepted_in_one_blueprint(
    app: Flask, make_app: MakeApp
) -> None:
    service = make_app()
    partner = Blueprint("partner", __name__, url_prefix="/partner")
    partner.post("/notes")(lambda: str(current_access_token().sub))
    elsewhere(service, blueprints=[partner])
    service.register_blueprint(partner)
    theirs = token_by(hmac_key(ACCESS_SECRET))
    assert call(service, "POST", "/partner/notes", theirs).text == claims(theirs)["sub"]
    assert_problem(call(service, "GET", "/api/me", theirs), 401, "access_token_invalid")
    carol = Person(service, "carol@example.com", "a lamp that is not lit").register().logged_in()
    assert carol.call("GET", "/api/me").status_code == 200
    answer = call(service, "POST", "/partner/notes", carol.access_token)
    assert_problem(answer, 401, "access_token_invalid")
    crossing = {"Sec-Fetch-Site": "cross-site"}
    answer = call(service, "POST", "/partner/notes", theirs, headers=crossing)
    assert_problem(answer, 403, "cross_origin_refused")


@pytest.mark.once
def test_the_description_keeps_our_routes_under_their_tags(app: Flask, extended: Flask) -> None:
    document = extended.test_client().get("/openapi.json").json
    assert document == app.test_client().get("/openapi.json").json
    tags = {route["tags"][0] for path in document["paths"].values() for route in path.values()}
    assert tags == {"auth", "resources", "operations"}
