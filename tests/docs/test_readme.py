"""The README's examples, run as a reader would run them."""

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.running_service import ROOT, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    """Return the README's only block in that language that contains that text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = (text for text in blocks if holding in text)
    return str(found)


@pytest.fixture
def transcript(database_url: str, tmp_path: Path) -> list[str]:
    """The response of each curl of the transcript, with a real gunicorn."""
    with serving(database_url, tmp_path / "log") as service:
        script = block("sh", "/auth/login").replace("localhost:8000", f"localhost:{service.port}")
        script = re.sub(r"^(TOKEN=\$\()?curl ", r"\1curl -sS -w '\\n' ", script, flags=re.MULTILINE)
        done = subprocess.run(
            ["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.usefixtures("app")
def test_the_transcript_shows_the_whole_life_of_a_session(transcript: list[str]) -> None:
    registered, logged_in, me, refreshed, refused, revoked = map(json.loads, transcript)
    assert registered["email"] == me["email"] == "alice@example.com"
    assert logged_in.keys() == refreshed.keys() == {"access_token", "token_type", "expires_in"}
    assert refused["code"] == "refresh_token_revoked"
    assert revoked["code"] == "access_token_revoked"


def test_the_example_blueprint_is_protected(
    make_app: MakeApp, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    module = tmp_path / "readers_notes.py"
    module.write_text(block("python", "Blueprint"))
    monkeypatch.syspath_prepend(tmp_path)
    service = make_app()
    service.register_blueprint(import_module(module.stem).notes)
    client = service.test_client()
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    assert client.get("/api/notes").status_code == 401
    assert client.get("/api/notes", headers=bearer).status_code == 200


def test_the_readme_names_only_files_that_exist() -> None:
    names = re.findall(r"\]\((docs/[^)]+)\)", README) + re.findall(r"\| `(\w+/[\w/.]*)`", README)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
