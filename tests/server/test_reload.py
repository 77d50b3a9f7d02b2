"""`authsvc serve --reload`: for development, a change of the code takes effect."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from click.testing import CliRunner

from authsvc.cli import main
from tests.support.gunicorn_server import (
    ROOT,
    Service,
    environment,
    free_port,
    wait_until_it_answers,
)

WSGI = """
from authsvc.guard import public
from authsvc.server.boot import boot
from notes import read

app = boot()
app.add_url_rule("/notes", view_func=public(read))
"""
NOTES = "def read():\n    return {'notes': %s}\n"
SECONDS = 30
AGAIN = 4
"""Seconds until a file is changed again: gunicorn does not see a change while it imports."""


class Folder:
    """A developer's folder, with a copy of authsvc, and the service that runs in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(
            ROOT / "authsvc", path / "authsvc", ignore=shutil.ignore_patterns("__pycache__")
        )
        (path / "wsgi.py").write_text(WSGI)
        (path / "notes.py").write_text(NOTES % "1")
        self.service = self._serve()

    def _serve(self) -> Service:
        port, log = free_port(), self.path / "log"
        settings = environment(f"sqlite:///{self.path / 'authsvc.db'}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "authsvc", "serve", "--reload"],
                cwd=self.path,
                env={**settings, "PORT": str(port), "PYTHONPATH": str(self.path)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Service(process, port, log)

    def change(self, name: str, text: str, path: str, expected: str) -> None:
        """Change a file, and wait until the response to that path has the expected text."""
        file = self.path / name
        file.write_text(text)
        give_up, again = time.monotonic() + SECONDS, time.monotonic() + AGAIN
        while expected not in (body := self.get(path)):
            assert time.monotonic() < give_up, (body, self.log())
            if time.monotonic() > again:
                os.utime(file)
                again = time.monotonic() + AGAIN
            time.sleep(0.1)

    def get(self, path: str) -> str:
        connection = HTTPConnection("127.0.0.1", self.service.port, timeout=15)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError:  # it is starting again
            return ""
        finally:
            connection.close()

    def log(self) -> str:
        return self.service.output.read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    folder = Folder(tmp_path_factory.mktemp("reload"))
    try:
        wait_until_it_answers(folder.service)
        yield folder
    finally:
        if folder.service.process.poll() is None:
            folder.service.kill()


def test_a_change_takes_effect_and_a_mistake_is_shown_until_it_is_corrected(folder: Folder) -> None:
    assert json.loads(folder.get("/notes")) == {"notes": 1}
    folder.change("notes.py", "read = nothing\n", "/notes", "NameError: name 'nothing' is not")
    folder.change("notes.py", NOTES % "1 / 0", "/notes", "internal_error")
    assert "\nZeroDivisionError: division by zero\n" in folder.log()
    assert "\nTraceback (most recent call last):\n" in folder.log()
    assert '{"event"' not in folder.log()
    assert "\x1b" not in folder.log()


def test_a_change_of_the_service_itself_takes_effect(folder: Folder) -> None:
    health = folder.path / "authsvc" / "operations" / "health.py"
    changed = health.read_text().replace('return Health("ok")', 'return Health("changed")')
    folder.change("authsvc/operations/health.py", changed, "/healthz", '"changed"')
    assert folder.log().count("a module of authsvc was changed: starting again") >= 1
    folder.service.kill(signal.SIGTERM)
    assert folder.service.process.returncode == 0


def test_reload_is_refused_with_a_public_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = environment("sqlite:///authsvc.db", issuer="https://auth.example.com")
    result = CliRunner(env=settings).invoke(main, ["serve", "--reload"])
    assert result.exit_code == 1
    assert "--reload is for development" in result.output
    assert not (tmp_path / "authsvc.db").exists()
