"""GET /static/authsvc.js, and the modules beside it."""

from pathlib import Path

import pytest
from flask import Flask

import authsvc
from tests.conftest import MakeApp

FOLDER = Path(authsvc.__file__).parent / "static"
MODULES = ["authsvc.js", "authsvc-binding.js", "authsvc-factors.js"]
each_module = pytest.mark.parametrize("name", MODULES)


@each_module
def test_the_module_is_served_as_javascript_without_a_token(app: Flask, name: str) -> None:
    answer = app.test_client().get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.data == (FOLDER / name).read_bytes()
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


@each_module
def test_the_module_is_revalidated_by_its_etag(app: Flask, name: str) -> None:
    client, route = app.test_client(), f"/static/{name}"
    first = client.get(route)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(route, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.get(route, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@each_module
def test_only_pages_of_allowed_origins_may_import_the_module(make_app: MakeApp, name: str) -> None:
    client = make_app(allowed_origins="https://app.example.com").test_client()
    allowed = client.get(f"/static/{name}", headers={"Origin": "https://app.example.com"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Origin" in allowed.headers["Vary"]
    other = client.get(f"/static/{name}", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_only_the_modules_are_served_from_its_folder(app: Flask) -> None:
    client = app.test_client()
    for path in ("/static/package.json", "/static/", "/static/../app.py", "/static/authsvc.d.ts"):
        assert client.get(path).status_code == 404
