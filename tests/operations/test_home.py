"""GET /: a hint of where to go, which gives way to an operator's own page."""

import re
from urllib.parse import urljoin

import pytest
from flask import Blueprint, Flask

from authsvc.guard import public
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

pytestmark = pytest.mark.once


def test_the_hint_leads_to_the_description_of_the_api(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/")
    assert answer.json == {"service": "authsvc", "docs": "/docs", "openapi": "/openapi.json"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert [client.get(answer.json[name]).status_code for name in ("docs", "openapi")] == [200] * 2
    assert client.head("/").status_code == 200
    assert_problem(client.post("/"), 405, "method_not_allowed")


def test_the_hint_is_right_below_a_prefix(app: Flask) -> None:
    answer = app.test_client().get("/", environ_overrides={"SCRIPT_NAME": "/accounts"})
    assert answer.json["docs"] == "/accounts/docs"


@pytest.mark.parametrize("root", ["", "/accounts"])
def test_in_the_demo_it_is_a_page_whose_links_lead_somewhere(make_app: MakeApp, root: str) -> None:
    app = make_app(demo=True)
    client = app.test_client()
    answer = client.get("/", environ_overrides={"SCRIPT_NAME": root})
    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    links = {
        urljoin(f"{root}/", link) for link in re.findall(r'(?:href|src)="([^"]+)"', answer.text)
    }
    assert {f"{root}/demo", f"{root}/docs", f"{root}/openapi.json"} < links
    for link in links:
        with client.get(link.removeprefix(root)) as page:
            assert page.status_code == 200, link


def test_an_operators_own_page_takes_its_place(make_app: MakeApp, alice: Person) -> None:
    app = make_app(demo=True)
    app.add_url_rule("/", "mine", lambda: "mine")
    alice.app = app
    assert_problem(alice.call("GET", "/"), 401, "access_token_missing")
    bearer = {"Authorization": f"Bearer {alice.logged_in().access_token}"}
    assert alice.call("GET", "/", headers=bearer).text == "mine"


def test_an_operators_own_page_in_a_blueprint_takes_its_place(make_app: MakeApp) -> None:
    app = make_app()
    pages = Blueprint("pages", __name__)
    pages.get("/", endpoint="start")(public(lambda: "start"))
    pages.get("/<path:rest>", endpoint="rest")(public(lambda rest: rest))
    app.register_blueprint(pages)
    client = app.test_client()
    assert (client.get("/").text, client.get("/a/b").text) == ("start", "a/b")
    assert client.get("/healthz").json == {"status": "ok"}


def test_an_operator_may_take_another_method_and_keep_the_hint(make_app: MakeApp) -> None:
    app = make_app()
    app.post("/", endpoint="post")(public(lambda: "posted"))
    client = app.test_client()
    assert client.post("/").text == "posted"
    assert client.get("/").json["service"] == "authsvc"


def test_it_is_not_in_the_description_of_the_api(app: Flask) -> None:
    paths = app.test_client().get("/openapi.json").json["paths"]
    assert not [path for path in paths if path == "/" or "nothing" in path]
