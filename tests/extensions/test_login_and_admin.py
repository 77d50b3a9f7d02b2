"""Flask-Login and Flask-Admin, which are made for pages and Flask's session."""

import pytest
from flask import Blueprint, Flask, flash, session
from flask_admin import Admin, BaseView, expose
from flask_login import UserMixin, current_user, login_required, login_user

from authsvc.guard import public
from tests.conftest import MakeApp
from tests.extensions.conftest import MakeGuarded
from tests.extensions.listings import run_listing
from tests.guard.issuer import ISSUER, token_by
from tests.support.guard_calls import KEY, accepted, assert_protected, call, elsewhere
from tests.support.responses import assert_problem, claims
from tests.support.signing_secrets import ACCESS_SECRET


class User(UserMixin):
    id = "1"


@pytest.mark.once
def test_flask_login_loads_the_owner_of_the_access_token(make_guarded: MakeGuarded) -> None:
    app = make_guarded()
    run_listing("LoginManager", app)
    app.get("/who", endpoint="who")(login_required(lambda: f"{current_user.id}"))
    assert_protected(app, "/who")
    token = token_by(KEY)
    answer = call(app, "GET", "/who", token)
    assert answer.text == claims(token)["sub"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.once
def test_in_the_service_nothing_can_be_written_to_flasks_session(make_app: MakeApp) -> None:
    app = make_app(issuer=ISSUER)
    app.secret_key = "of the pages"
    app.testing = True
    run_listing("LoginManager", app)
    for name, write in (
        ("login", lambda: str(login_user(User()))),
        ("session", lambda: session.update(a=1)),
        ("or", lambda: session.__ior__({"a": 1})),
        ("flash", lambda: flash("hello")),
    ):
        app.get(f"/{name}", endpoint=name)(public(write))
    for name in ("login", "session", "or", "flash"):
        with pytest.raises(RuntimeError, match="switches Flask's session off"):
            call(app, "GET", f"/{name}")


class Report(BaseView):
    @expose("/")
    def index(self) -> str:
        return "report"


class Open(BaseView):
    @expose("/")
    @public
    def index(self) -> str:
        return "open"


def with_admin(app: Flask) -> Flask:
    admin = Admin(app, name="Admin")
    admin.add_view(Report(name="Report", endpoint="report"))
    admin.add_view(Report(name="Other", endpoint="other"))
    admin.add_view(Open(name="Open", endpoint="open"))
    return app


@pytest.mark.once
def test_flask_admin_is_protected_until_single_views_are_made_public(
    make_guarded: MakeGuarded,
) -> None:
    app = with_admin(make_guarded())
    for path in ("/admin/", "/admin/report/", "/admin/static/admin/js/form.js"):
        assert_protected(app, path)
    assert accepted(app, "/admin/report/").text == "report"
    public(app.view_functions["report.index"])
    public(app.view_functions["admin.static"])
    assert call(app, "GET", "/admin/report/").text == "report"
    assert call(app, "GET", "/admin/open/").text == "open"
    assert call(app, "GET", "/admin/static/admin/js/form.js").status_code == 200
    assert_protected(app, "/admin/other/")


def test_flask_admin_stays_as_it_is_beside_a_guarded_blueprint() -> None:
    app = with_admin(Flask("elsewhere"))
    api = Blueprint("api", __name__, url_prefix="/api")
    api.get("/notes")(lambda: "notes")
    jwks_url = 'jwks_url="https://auth.example.com/.well-known/jwks.json"'
    secret = {jwks_url: f'secret="{ACCESS_SECRET.hex()}"'}
    run_listing("blueprints=[api]", app, secret, api=api)
    app.register_blueprint(api)
    assert_protected(app, "/api/notes")
    assert accepted(app, "/api/notes").text == "notes"
    assert call(app, "GET", "/admin/report/").text == "report"
    assert "Admin" in call(app, "GET", "/admin/").text


def test_the_documents_handler_of_a_missing_token_is_called() -> None:
    app = elsewhere()
    run_listing("errorhandler", app)
    app.get("/")(lambda: "home")
    answer = call(app, "GET", "/")
    assert answer.json == {
        "message": "This route needs an access token: log in or refresh, and send it as Bearer."
    }
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'
    assert_problem(call(app, "GET", "/", "a.b.c"), 401, "access_token_invalid")
