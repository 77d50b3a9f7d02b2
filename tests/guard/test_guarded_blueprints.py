"""AccessTokenGuard(app, blueprints=[...]): which routes it protects, and which it leaves alone."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, url_for
from flask.views import MethodView

from authsvc.guard import AccessTokenGuard, current_access_token, public, requires_role
from authsvc.problems import RoleMissing
from authsvc.tokens.access import access_keyring
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.keyring import hmac_key
from tests.guard.issuer import ISSUER, token_by
from tests.support.guard_calls import accepted, assert_protected, call
from tests.support.key_pair_settings import ED25519
from tests.support.responses import assert_problem
from tests.support.signing_secrets import ACCESS_SECRET

PARTNER = "https://partner.example/accounts/"
PARTNER_KEY = key_from_pem(ED25519)
KEYS = access_keyring(hmac_key(ACCESS_SECRET))


class Notes(MethodView):
    def get(self) -> str:
        return "notes"


def blueprint(name: str) -> Blueprint:
    """Return a blueprint with routes of each kind."""
    made = Blueprint(name, __name__, url_prefix=f"/{name}")
    made.get("/mine")(lambda: str(current_access_token().sub))
    made.get("/open", endpoint="open")(public(lambda: "open"))
    made.get("/admin", endpoint="admin")(requires_role("admin")(lambda: "admin"))
    made.add_url_rule("/notes", view_func=Notes.as_view("notes"))
    return made


@pytest.fixture
def app() -> Flask:
    app = Flask("elsewhere")
    app.get("/")(lambda: "home")
    return app


@pytest.fixture
def api(app: Flask) -> Blueprint:
    """A blueprint that is guarded, beside one that is not."""
    api = blueprint("api")
    AccessTokenGuard(app, blueprints=[api], issuer=ISSUER, keys=KEYS)
    app.register_blueprint(api)
    app.register_blueprint(blueprint("site"))
    return api


def test_only_the_routes_of_its_blueprints_are_protected(app: Flask, api: Blueprint) -> None:
    for path in ("/api/mine", "/api/notes", "/api/admin"):
        assert_protected(app, path)
    assert accepted(app, "/api/notes").text == call(app, "GET", "/site/notes").text == "notes"
    assert call(app, "GET", "/api/open").text == "open"
    assert call(app, "GET", "/").text == "home"
    assert call(app, "GET", "/nowhere").status_code == 404
    assert call(app, "GET", "/", "a.b.c").text == "home"


def test_a_role_can_be_required_in_its_blueprints(app: Flask, api: Blueprint) -> None:
    key = hmac_key(ACCESS_SECRET)
    assert_problem(call(app, "GET", "/api/admin", token_by(key)), 403, "forbidden")
    assert accepted(app, "/api/admin", roles=("admin",)).text == "admin"


def test_a_view_that_no_guard_covers_cannot_read_claims_or_require_roles(
    app: Flask, api: Blueprint
) -> None:
    app.testing = True
    for path in ("/site/mine", "/site/admin"):
        with pytest.raises(RuntimeError, match="no AccessTokenGuard covers it"):
            call(app, "GET", path, token_by(hmac_key(ACCESS_SECRET), roles=("admin",)))


def test_its_preflights_are_answered_and_those_of_others_are_left_alone(
    app: Flask, api: Blueprint
) -> None:
    app.add_url_rule(
        "/own", view_func=lambda: "own options", endpoint="own", methods=["GET", "OPTIONS"]
    )
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert call(app, "OPTIONS", "/api/notes", headers=headers).data == b""
    assert call(app, "OPTIONS", "/own", headers=headers).text == "own options"


def register_nested(app: Flask, api: Blueprint, inner: Blueprint) -> None:
    api.register_blueprint(inner)
    app.register_blueprint(api)


def register_renamed(app: Flask, api: Blueprint, inner: Blueprint) -> None:
    api.register_blueprint(inner, name="renamed")
    app.register_blueprint(api, name="v1.api", url_prefix="/api")


@pytest.mark.parametrize("register", [register_nested, register_renamed])
def test_a_nested_blueprint_is_protected_under_whatever_name(
    app: Flask, register: Callable[..., Any]
) -> None:
    api, inner = blueprint("api"), blueprint("inner")
    AccessTokenGuard(app, blueprints=(api,), issuer=ISSUER, keys=KEYS)
    register(app, api, inner)
    assert_protected(app, "/api/inner/notes")
    assert accepted(app, "/api/inner/notes").text == "notes"


def test_a_blueprint_that_is_registered_twice_is_protected_twice(app: Flask) -> None:
    api = blueprint("api")
    AccessTokenGuard(app, blueprints=[api], issuer=ISSUER, keys=KEYS)
    app.register_blueprint(api)
    app.register_blueprint(api, name="second", url_prefix="/second")
    for path in ("/api/notes", "/second/notes"):
        assert_protected(app, path)


@pytest.mark.parametrize("partner_first", [True, False])
def test_two_guards_in_one_app_do_not_disturb_each_other(app: Flask, partner_first: bool) -> None:
    own, partner = blueprint("own"), blueprint("partner")
    guards = [
        {"blueprints": [own], "issuer": ISSUER, "keys": KEYS},
        {"blueprints": [partner], "issuer": PARTNER, "keys": access_keyring(PARTNER_KEY)},
    ]
    for options in reversed(guards) if partner_first else guards:
        AccessTokenGuard(app, **options)
    app.register_blueprint(own)
    app.register_blueprint(partner)
    app.get("/raises", endpoint="raises")(raises_a_problem)
    tokens = {"own": token_by(hmac_key(ACCESS_SECRET)), "partner": partner_token()}
    for name, other in (("own", "partner"), ("partner", "own")):
        assert call(app, "GET", f"/{name}/notes", tokens[name]).text == "notes"
        refused = call(app, "GET", f"/{name}/notes", tokens[other])
        assert_problem(refused, 401, "access_token_invalid")
    assert call(app, "GET", "/raises").json["type"] == "/docs#forbidden"  # of which issuer?
    assert call(app, "GET", "/").text == "home"


def partner_token(*roles: str) -> str:
    return token_by(PARTNER_KEY, issuer=PARTNER, aud=PARTNER, roles=roles)


@pytest.mark.parametrize("whole_first", [True, False])
def test_a_guard_of_a_blueprint_takes_the_place_of_that_of_the_app(
    app: Flask, whole_first: bool
) -> None:
    partner = blueprint("partner")

    def guard_the_whole() -> None:
        AccessTokenGuard(app, issuer=ISSUER, keys=KEYS)

    if whole_first:
        guard_the_whole()
    AccessTokenGuard(app, blueprints=[partner], issuer=PARTNER, keys=access_keyring(PARTNER_KEY))
    if not whole_first:
        guard_the_whole()
    app.register_blueprint(partner)
    app.register_blueprint(blueprint("api"))
    assert call(app, "GET", "/partner/notes", partner_token()).text == "notes"
    assert_problem(call(app, "GET", "/", partner_token()), 401, "access_token_invalid")
    assert_protected(app, "/partner/notes")
    for path in ("/", "/api/notes", "/api/mine"):
        assert_protected(app, path)
        accepted(app, path)


def test_the_guard_of_a_nested_blueprint_takes_the_place_of_the_outer_ones(app: Flask) -> None:
    outer, inner = blueprint("outer"), blueprint("inner")
    AccessTokenGuard(app, blueprints=[outer], issuer=ISSUER, keys=KEYS)
    AccessTokenGuard(app, blueprints=[inner], issuer=PARTNER, keys=access_keyring(PARTNER_KEY))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert accepted(app, "/outer/notes").text == "notes"
    assert call(app, "GET", "/outer/inner/notes", partner_token()).text == "notes"
    assert_protected(app, "/outer/inner/notes")


def test_a_problem_leads_to_the_explanations_of_its_routes_issuer(app: Flask) -> None:
    own, partner = blueprint("own"), blueprint("partner")
    AccessTokenGuard(app, blueprints=[own], issuer="authsvc", keys=KEYS)
    AccessTokenGuard(app, blueprints=[partner], issuer=PARTNER, keys=access_keyring(PARTNER_KEY))
    app.register_blueprint(own)
    app.register_blueprint(partner)
    app.get("/raises", endpoint="raises")(raises_a_problem)
    docs = "https://partner.example/accounts/docs#"
    missing = call(app, "GET", "/partner/notes")
    assert missing.json["type"] == f"{docs}access_token_missing"
    role = call(app, "GET", "/partner/admin", partner_token())
    assert role.json["type"] == f"{docs}forbidden"
    assert call(app, "GET", "/own/notes").json["type"] == "/docs#access_token_missing"
    assert call(app, "GET", "/raises").json["type"] == "/docs#forbidden"


def test_of_one_issuer_every_problem_leads_to_its_explanations(app: Flask, api: Blueprint) -> None:
    app.get("/raises", endpoint="raises")(raises_a_problem)
    for path, code in (("/api/notes", "access_token_missing"), ("/raises", "forbidden")):
        assert call(app, "GET", path).json["type"] == f"{ISSUER}/docs#{code}"


def raises_a_problem() -> None:
    raise RoleMissing("admin")


@pytest.mark.parametrize("wrong", ["api", ["api"], blueprint("api"), {"api"}, [None], 1])
def test_what_is_not_a_list_of_blueprints_is_refused(app: Flask, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"blueprints=\[api\]"):
        AccessTokenGuard(app, blueprints=wrong, issuer=ISSUER, keys=KEYS)
    assert app.before_request_funcs == {}


def test_no_blueprint_at_all_is_refused(app: Flask) -> None:
    with pytest.raises(ValueError, match="would protect nothing"):
        AccessTokenGuard(app, blueprints=[], issuer=ISSUER, keys=KEYS)


def test_no_route_can_have_two_guards(app: Flask) -> None:
    api = blueprint("api")
    AccessTokenGuard(app, issuer=ISSUER, keys=KEYS)
    AccessTokenGuard(app, blueprints=[api], issuer=ISSUER, keys=KEYS)
    with pytest.raises(ValueError, match="has a guard for all of its routes already"):
        AccessTokenGuard(app, issuer=ISSUER, keys=KEYS)
    with pytest.raises(ValueError, match="The blueprint 'api' has a guard already"):
        AccessTokenGuard(app, blueprints=[blueprint("other"), api], issuer=ISSUER, keys=KEYS)


def test_a_link_to_a_guarded_route_is_built_as_ever(app: Flask, api: Blueprint) -> None:
    with app.test_request_context():
        assert url_for("api.notes") == "/api/notes"
