"""The Makefile on machines that lack what it needs."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import program
from tests.support.running_service import ROOT

OLD_PYTHON = """#!/bin/sh
# Python 3.10 as the Makefile sees it: the version check fails, everything else would work.
case "$*" in *version_info*) exit 1 ;; *) touch was-used ;; esac
"""


def test_32_an_older_python_is_named_before_anything_is_installed(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python3.10"
    python.write_text(OLD_PYTHON)
    python.chmod(0o755)
    done = subprocess.run(
        [program("make"), "run", "PYTHON=./python3.10"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "authsvc needs Python 3.11 or later, and ./python3.10 is not" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Makefile",
        "python3.10",
        "requirements.txt",
    ]


SERVICE = f"""#!/bin/sh
# The service as the Makefile starts it: it prints its settings. Other programs run.
case "$*" in "-m authsvc serve") env ;; *) exec {sys.executable} "$@" ;; esac
"""
Run = Callable[..., dict[str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `make run` where everything is installed, and return the service's settings of mail."""
    folder = tmp_path / "a folder? #1"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "instance").mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.txt", ".venv/.run"):
        (folder / name).touch()
    python = folder / ".venv" / "bin" / "python"
    python.write_text(SERVICE)
    python.chmod(0o755)

    def make(file: str = "", **environ: str) -> dict[str, str]:
        (folder / "instance" / "authsvc.env").write_text(file)
        done = subprocess.run(
            [program("make"), "run", "PORT=8001"],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        settings = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        names = ("AUTHSVC_MAIL_URL", "AUTHSVC_MAIL_FROM", "AUTHSVC_APP_URL")
        return {name: settings[name] for name in names if name in settings}

    return make


def test_make_run_writes_mails_into_a_folder_and_their_links_lead_to_the_demo(
    run: Run, tmp_path: Path
) -> None:
    settings = run("AUTHSVC_EMAIL_VERIFICATION=required\n# AUTHSVC_MAIL_URL=\n")
    assert settings == {
        "AUTHSVC_MAIL_URL": (tmp_path / "a folder? #1" / "instance" / "mail").as_uri(),
        "AUTHSVC_MAIL_FROM": "authsvc <no-reply@example.com>",
        "AUTHSVC_APP_URL": "http://localhost:8001/demo",
    }


@pytest.mark.parametrize(
    "line", ["AUTHSVC_MAIL_URL=smtp://localhost", " export AUTHSVC_APP_URL=http://localhost:3000"]
)
def test_make_run_changes_nothing_of_mail_that_the_environment_file_sets(
    run: Run, line: str
) -> None:
    assert run(f"AUTHSVC_LOG_LEVEL=info\n{line}\n") == {}


def test_make_run_changes_nothing_of_mail_that_the_environment_sets(run: Run) -> None:
    assert run(AUTHSVC_MAIL_FROM="a@example.com") == {"AUTHSVC_MAIL_FROM": "a@example.com"}
    assert run(AUTHSVC_MAIL_URL="") == {"AUTHSVC_MAIL_URL": ""}
