"""Flask-RESTX in a nested blueprint: it names the endpoints as if it were not nested."""

import pytest
from flask import Blueprint
from flask_restx import Api, Resource

from tests.guard.issuer import ISSUER
from tests.support.guard_calls import accepted, assert_protected, call, elsewhere


@pytest.mark.parametrize("options", [{}, {"name": "v1"}, {"url_prefix": "/other"}])
def test_a_nested_api_is_protected_with_the_blueprint_around_it(options: dict[str, str]) -> None:
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    app = elsewhere(blueprints=[outer])
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    api = Api(inner)
    api.add_resource(type("Notes", (Resource,), {"get": lambda self: "notes"}), "/notes")
    outer.register_blueprint(inner, **options)
    app.register_blueprint(outer)
    [path] = [rule.rule for rule in app.url_map.iter_rules() if "notes" in rule.rule]
    assert_protected(app, path)
    assert accepted(app, path).json == "notes"
    assert call(app, "GET", path).json["type"] == f"{ISSUER}/docs#access_token_missing"
