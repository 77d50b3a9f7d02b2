"""An operator's blueprints may have the names that ours have inside the service."""

import pytest
from flask import Blueprint, Flask, url_for

from authsvc.guard import public
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

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
def test_the_description_keeps_our_routes_under_their_tags(app: Flask, extended: Flask) -> None:
    document = extended.test_client().get("/openapi.json").json
    assert document == app.test_client().get("/openapi.json").json
    tags = {route["tags"][0] for path in document["paths"].values() for route in path.values()}
    assert tags == {"auth", "resources", "operations"}
