"""Flask-WTF's CSRFProtect, which wants a CSRF token of every request that changes something."""

import pytest
from flask import Blueprint, Flask
from flask_wtf import CSRFProtect

from tests.conftest import MakeApp
from tests.extensions.listings import run_listing
from tests.support.guard_calls import accepted, assert_protected, call, elsewhere
from tests.support.people import Person


def blueprints(app: Flask) -> tuple[Blueprint, Blueprint]:
    """Add an API and a site with a form."""
    made = []
    for name in ("api", "site"):
        own = Blueprint(name, __name__, url_prefix=f"/{name}")
        own.post("/notes")(lambda: "noted")
        app.register_blueprint(own)
        made.append(own)
    return made[0], made[1]


def test_elsewhere_the_api_is_exempt_and_the_forms_are_not() -> None:
    app = Flask("elsewhere")
    app.secret_key = "of the forms"
    api, _ = blueprints(app)
    elsewhere(app, blueprints=[api])
    run_listing("CSRFProtect", app, api=api)
    assert_protected(app, "/api/notes", "POST")
    assert accepted(app, "/api/notes", "POST", json={}).text == "noted"
    refused = call(app, "POST", "/site/notes", data={"text": "mine"})
    assert (refused.status_code, "CSRF token is missing" in refused.text) == (400, True)


@pytest.mark.once
def test_in_the_service_its_blueprints_must_be_exempt_too(app: Flask, make_app: MakeApp) -> None:
    protected = make_app()
    protected.secret_key = "of the forms"
    csrf = CSRFProtect(protected)
    carol = Person(protected, "carol@example.com", "a lamp that is not lit")
    refused = carol.call("POST", "/auth/register", json=carol.credentials)
    assert (refused.status_code, refused.json["code"]) == (400, "invalid_request")
    for name in ("authsvc.auth", "authsvc.resources"):
        csrf.exempt(protected.blueprints[name])
    carol.register().logged_in()
    assert carol.refresh().status_code == 200
    assert carol.call("DELETE", "/api/me/sessions").status_code == 204
    assert carol.log_out().status_code == 204
