"""docs/deploy.md: its links and commands are valid, and agree with the files in docs/deploy/."""

import re
import subprocess

from tests.deploy.conftest import DEPLOY
from tests.support.running_service import ROOT

DOC = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SCRIPT = "".join(re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL))


def test_each_linked_file_exists() -> None:
    links = re.findall(r"\]\(([\w./-]+)", DOC)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_the_document_installs_each_file_of_the_folder() -> None:
    for file in DEPLOY.iterdir():
        assert f"docs/deploy/{file.name}" in SCRIPT


def test_the_commands_are_valid_shell() -> None:
    done = subprocess.run(["bash", "-n"], input=SCRIPT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_document_and_the_files_use_the_same_paths() -> None:
    unit = (DEPLOY / "authsvc.service").read_text()
    command = (DEPLOY / "authsvc").read_text()
    (database,) = re.findall(r"sqlite:///(/\S+)/authsvc\.db", SCRIPT)
    assert all("/opt/authsvc/current" in text for text in (SCRIPT, unit, command))
    assert re.search(r"^adduser .* authsvc$", SCRIPT, re.MULTILINE)
    assert "User=authsvc\n" in unit
    assert "--reuid=authsvc " in command
    assert database == "/var/lib/authsvc"
    assert "StateDirectory=authsvc\n" in unit
