"""`authsvc completion`: the Tab key in a real bash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import run
from tests.support.running_service import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a program named authsvc, and bash's completion script for it."""
    folder = tmp_path_factory.mktemp("completion")
    program = folder / "authsvc"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m authsvc "$@"\n')
    program.chmod(0o755)
    (folder / "completion").write_text(run("completion", "bash").stdout)
    return folder


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("authsvc us", ["users"]),
        ("authsvc s", ["serve", "secrets", "sessions"]),
        ("authsvc users dis", ["disable"]),
        ("authsvc login --b", ["--bound"]),
        ("authsvc sessions revoke --a", ["--all"]),
        ("authsvc completion z", ["zsh"]),
        ("authsvc xyzzy", []),
    ],
)
def test_bash_completes_commands_and_options(folder: Path, typed: str, offered: list[str]) -> None:
    words = typed.split()
    script = f"""
        eval "$(< {folder}/completion)"
        complete -p authsvc > /dev/null
        COMP_WORDS=({typed}) COMP_CWORD={len(words) - 1} COMPREPLY=()
        _authsvc_completion authsvc {words[-1]} {words[-2]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_how_to_install_it(shell: str) -> None:
    lines = run("completion", shell).stdout.splitlines()
    assert lines[-1].startswith("# To install it: ")
    assert f"authsvc completion {shell}" in lines[-1]
    assert any("_AUTHSVC_COMPLETE" in line for line in lines)
