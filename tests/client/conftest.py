"""The client's tests need Node and npm packages; without them they are skipped."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "node_modules"
OLDEST_NODE = 20


@cache
def what_is_missing() -> str | None:
    """Return what these tests need and this machine lacks, or None."""
    node = shutil.which("node")
    if node is None:
        return f"Node {OLDEST_NODE} or newer"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        return f"Node {OLDEST_NODE} or newer"
    return None if PACKAGES.is_dir() else "the npm packages (make test installs them)"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    missing = what_is_missing()
    if missing is None:
        return None
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"The client's tests need {missing}.")
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = what_is_missing()
    if missing is not None:
        terminalreporter.write_line(f"The client was not tested: it needs {missing}.", yellow=True)
