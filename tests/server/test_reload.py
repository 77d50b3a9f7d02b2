"""`authsvc serve --reload`: for development, a change of the code takes effect."""

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from authsvc import create_app
from authsvc.settings import Settings, SettingsInvalid
from tests.support.developer import Developer, developing, documented
from tests.support.running_service import ROOT
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

WSGI = """
from authsvc.guard import public
from authsvc.server.boot import boot
from notes import read

app = boot()
app.add_url_rule("/notes", view_func=public(read))
"""
NOTES = "def read():\n    return {'notes': %s}\n"


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """A developer with a copy of authsvc."""
    folder = tmp_path_factory.mktemp("reload")
    being_written = shutil.ignore_patterns("*.pyc.*")
    shutil.copytree(ROOT / "authsvc", folder / "authsvc", ignore=being_written)
    (folder / "wsgi.py").write_text(WSGI)
    (folder / "notes.py").write_text(NOTES % "1")
    command = [sys.executable, *documented("python -m authsvc serve --reload").split()[1:]]
    with developing(folder, command, folder) as developer:
        yield developer


def test_a_change_takes_effect_and_a_mistake_is_shown_until_it_is_corrected(
    developer: Developer,
) -> None:
    assert json.loads(developer.body("/notes")) == {"notes": 1}
    developer.change("notes.py", "read = nothing\n", "/notes", "NameError: name 'nothing' is not")
    developer.change("notes.py", NOTES % "1 / 0", "/notes", "internal_error")
    log = developer.log()
    assert "\nTraceback (most recent call last):\n" in log
    assert "\nZeroDivisionError: division by zero\n" in log
    assert '{"event"' not in log
    assert "\x1b" not in log


def test_a_mail_is_sent_by_the_process_that_serves(developer: Developer) -> None:
    developer.assert_that_registering_sends_a_mail()


def test_a_change_of_the_service_itself_takes_effect(developer: Developer) -> None:
    name = "authsvc/operations/health.py"
    old = (developer.folder / name).read_text()
    new = old.replace('return Health("ok")', 'return Health("changed")')
    developer.change(name, new, "/healthz", '"changed"')
    assert "a module of authsvc was changed: starting again" in developer.log()
    developer.service.kill(signal.SIGTERM)
    assert developer.service.process.returncode == 0


@pytest.mark.parametrize("issuer", ["https://auth.example.com", "http://localhost:8000"])
def test_reload_is_refused_with_a_public_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["gunicorn", "--reload", "wsgi:app"])
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'authsvc.db'}",
        access_token_secret=ACCESS_SECRET.hex(),
        refresh_token_secret=REFRESH_SECRET.hex(),
        issuer=issuer,
    )
    if "localhost" in issuer:
        create_app(settings)
    else:
        with pytest.raises(SettingsInvalid, match="--reload with a public AUTHSVC_ISSUER"):
            create_app(settings)
