"""docs/deploy.md: what it names is there, and its lines fit the files beside it."""

import re
import subprocess

from tests.deploy.conftest import DEPLOY
from tests.support.gunicorn_server import ROOT

DOC = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SCRIPT = "".join(re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL))


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([\w./-]+)", DOC)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_file_beside_it_is_put_somewhere_by_it() -> None:
    for file in DEPLOY.iterdir():
        assert f"docs/deploy/{file.name}" in SCRIPT


def test_its_lines_are_shell() -> None:
    done = subprocess.run(["bash", "-n"], input=SCRIPT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_and_the_files_mean_the_same_places() -> None:
    unit = (DEPLOY / "authsvc.service").read_text()
    command = (DEPLOY / "authsvc").read_text()
    (database,) = re.findall(r"sqlite:///(/\S+)/authsvc\.db", SCRIPT)
    assert all("/opt/authsvc/current" in text for text in (SCRIPT, unit, command))
    assert re.search(r"^adduser .* authsvc$", SCRIPT, re.MULTILINE)
    assert "User=authsvc\n" in unit
    assert "--reuid=authsvc " in command
    assert database == "/var/lib/authsvc"
    assert "StateDirectory=authsvc\n" in unit
