"""Help and completion load nothing but click; what a command needs is loaded when it is run."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from authsvc.cli import Main
from tests.cli.test_cli import here
from tests.cli.test_help import every_command, main
from tests.support.running_service import ROOT

__all__ = ["here"]  # the fixture

pytestmark = pytest.mark.once

LOADED = """
import sys
before = set(sys.modules)
from click.testing import CliRunner
from authsvc.cli import main
for words in {commands}:
    assert CliRunner().invoke(main, [*words, "--help"]).exit_code == 0
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names))
"""
FLASKS = 0.25 / 0.15
"""What help may take, in times of `import flask`."""


def test_no_help_loads_a_package_other_than_click(here: Path) -> None:
    script = LOADED.format(commands=list(every_command(main)))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["authsvc", "click"]


def test_help_and_completion_take_at_most_their_share_of_importing_flask(here: Path) -> None:
    completing = {"_AUTHSVC_COMPLETE": "bash_complete", "COMP_WORDS": "authsvc us"}
    program = [sys.executable, "-m", "authsvc"]
    flask = fewest_seconds([sys.executable, "-c", "import flask"])
    assert fewest_seconds([*program, "--help"]) < FLASKS * flask
    assert fewest_seconds([*program, "users", "create", "--help"]) < FLASKS * flask
    assert fewest_seconds(program, COMP_CWORD="1", **completing) < FLASKS * flask


def fewest_seconds(command: list[str], **variables: str) -> float:
    """Return the CPU time of a command: others that use the machine do not change it much."""
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables}
    return min(cpu_seconds(command, variables) for _ in range(3))


def cpu_seconds(command: list[str], variables: dict[str, str]) -> float:
    before = os.times()
    subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )


def test_a_module_that_wsgi_py_lacks_is_not_reported_as_a_missing_extra(here: Path) -> None:
    @click.group(cls=Main)
    def top() -> None: ...

    @top.command()
    def serve() -> None:
        runpy.run_path("wsgi.py")

    (here / "wsgi.py").write_text("import ships\n")
    result = CliRunner().invoke(top, ["serve"])
    assert repr(result.exception) == """ModuleNotFoundError("No module named 'ships'")"""
