"""The Makefile on machines that lack what it needs."""

import shutil
import subprocess
from pathlib import Path

from tests.support.gunicorn_server import ROOT
from tests.support.programs import program

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
