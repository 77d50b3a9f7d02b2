"""GET /demo: when it is served, and when it must not be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from authsvc import create_app
from authsvc.settings import Settings, SettingsInvalid
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

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


@pytest.mark.parametrize("name", ["demo.css", "demo.js", "timeline.js"])
def test_each_file_of_the_demo_is_served(tmp_path: Path, name: str) -> None:
    client = create_app(settings(tmp_path, demo=True)).test_client()
    with client.get(f"/demo/{name}") as answer:
        assert answer.status_code == 200


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
