"""GET /demo: when it is served, and when it must not be."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from authsvc import create_app
from authsvc.operations.demo import FOLDER
from authsvc.settings import Settings, SettingsInvalid
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET, REFRESH_SECRET

PUBLIC = "https://auth.example.com"
MakeApp = Callable[..., Flask]


def settings(tmp_path: Path, **chosen: object) -> Settings:
    return Settings.model_validate(
        {
            "database_url": f"sqlite:///{tmp_path / 'authsvc.db'}",
            "access_token_secret": ACCESS_SECRET.hex(),
            "refresh_token_secret": REFRESH_SECRET.hex(),
            **chosen,
        }
    )


def test_the_demo_is_off_by_default(tmp_path: Path) -> None:
    client = create_app(settings(tmp_path)).test_client()
    assert client.get("/demo").status_code == 404
    assert client.get("/demo/demo.js").status_code == 404


def test_the_demos_policy_allows_nothing_inline_and_no_other_origin(tmp_path: Path) -> None:
    client = create_app(settings(tmp_path, demo=True)).test_client()
    answer = client.get("/demo")
    assert answer.status_code == 200
    directives = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert directives.pop("default-src") == "'none'"
    assert set(directives.values()) == {"'self'", "'none'"}


def test_each_file_of_the_demo_is_served_and_revalidated(tmp_path: Path) -> None:
    client = create_app(settings(tmp_path, demo=True)).test_client()
    names = sorted(path.name for path in FOLDER.iterdir())
    assert {"demo.css", "demo.js"} < set(names)
    for name in names:
        answer = client.get(f"/demo/{name}")
        assert answer.status_code == 200
        assert answer.mimetype == ("text/css" if name.endswith(".css") else "text/javascript")
        again = client.get(f"/demo/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("name", ["other.js", "..%2Fauthsvc.js", "%2e%2e/authsvc.js"])
def test_no_other_file_is_served(tmp_path: Path, name: str) -> None:
    client = create_app(settings(tmp_path, demo=True)).test_client()
    assert client.get(f"/demo/{name}").status_code in (401, 404)


def test_each_module_and_stylesheet_that_the_demo_loads_is_its_own(tmp_path: Path) -> None:
    client = create_app(settings(tmp_path, demo=True)).test_client()
    html = client.get("/demo").text
    links = re.findall(r'(?:href|src)="([^"#]+)"', html)
    assert {"docs", "openapi.json", "static/authsvc.js", "demo/demo.js"} < set(links)
    for link in links:
        assert client.get(f"/{link}").status_code == 200, link
    assert "style=" not in html


def test_the_demo_does_not_offer_to_register_where_registration_is_closed(tmp_path: Path) -> None:
    open_page = create_app(settings(tmp_path, demo=True)).test_client().get("/demo").text
    closed = settings(tmp_path, demo=True, registration="closed")
    closed_page = create_app(closed).test_client().get("/demo").text
    assert 'id="register"' in open_page
    assert 'id="register"' not in closed_page
    assert '<form id="login" method="post" novalidate aria-labelledby="login-title">' in closed_page


@pytest.mark.parametrize(
    "issuer",
    ["https://127.example.com", PUBLIC, "https://10.0.0.7", "https://localhost.example.com"],
)
def test_the_demo_is_refused_with_a_public_https_issuer(tmp_path: Path, issuer: str) -> None:
    with pytest.raises(ValueError, match="AUTHSVC_DEMO"):
        settings(tmp_path, demo=True, issuer=issuer)


@pytest.mark.parametrize("issuer", [None, "http://localhost:8000", "https://app.localhost:8443"])
def test_the_demo_runs_on_the_developers_own_machine(tmp_path: Path, issuer: str | None) -> None:
    assert settings(tmp_path, demo=True, issuer=issuer).demo


def test_debug_mode_is_refused_with_a_public_https_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(SettingsInvalid, match="FLASK_DEBUG"):
        create_app(settings(tmp_path, issuer=PUBLIC))
    assert create_app(settings(tmp_path)).debug


def test_the_demo_says_how_to_get_a_factor_secret_if_the_service_has_none(tmp_path: Path) -> None:
    without = create_app(settings(tmp_path, demo=True)).test_client().get("/demo").text
    secret = {"factor_secret": FACTOR_SECRET.hex()}
    having = create_app(settings(tmp_path, demo=True, **secret)).test_client().get("/demo").text
    assert "<code>authsvc secrets</code>" in without
    assert "authsvc secrets" not in having
