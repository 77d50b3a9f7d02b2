"""The machine of a measurement, and the versions of what was measured."""

import json
import os
import platform
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.load.wrk import find_wrk
from bench.peers.install import NODE, NODE_BINARY, NODE_MODULES, VENV_PYTHON

OURS = (
    "flask", "werkzeug", "gunicorn", "granian", "sqlalchemy", "psycopg", "pyjwt", "pwdlib",
)  # fmt: skip
PYTHON_PEERS = (
    "flask", "gunicorn", "flask-jwt-extended", "flask-security", "flask-sqlalchemy", "django",
    "djangorestframework", "djangorestframework-simplejwt", "fastapi", "uvicorn", "sqlmodel",
    "pyjwt", "pwdlib",
)  # fmt: skip


def machine() -> str:
    """Return the processors, memory and kernel, on one line."""
    cores = len(os.sched_getaffinity(0))
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cores} cores of {names[0] if names else platform.machine()}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}"
    )


def versions() -> list[str]:
    """Return a line for each runtime that is installed."""
    ours = ", ".join(f"{name} {version(name)}" for name in OURS if _is_installed(name))
    lines = [
        f"authsvc {version_of_authsvc()}: CPython {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {ours}"
    ]
    if VENV_PYTHON.is_file():
        lines.append(f"Python peers: {_python_peers()}")
    if NODE_BINARY.is_file():
        lines.append(f"Node peers: {_node_peers()}")
    return [*lines, f"load: {_first_line(find_wrk(), '--version')}"]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def version_of_authsvc() -> str:
    """Return the version, with the commit if git knows it."""
    from authsvc import __version__

    commit = _first_line("git", "rev-parse", "--short", "HEAD")
    return f"{__version__} ({commit})" if commit else __version__


def _python_peers() -> str:
    script = (
        "import platform, sys; from importlib.metadata import version;"
        "print(f'CPython {platform.python_version()}',"
        " *(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    return _first_line(str(VENV_PYTHON), "-c", script, *PYTHON_PEERS)


def _node_peers() -> str:
    dependencies = json.loads((NODE / "package.json").read_text())["dependencies"]
    modules = [
        f"{name} {json.loads((NODE_MODULES / name / 'package.json').read_text())['version']}"
        for name in dependencies
    ]
    script = "console.log(`Node ${process.version}, SQLite ${process.versions.sqlite}`)"
    return ", ".join([_first_line(str(NODE_BINARY), "-e", script), *modules])


def _first_line(*command: str) -> str:
    """Return the first line of a program's output, or nothing if the program is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    # not checked: wrk exits with an error after its version, and git fails outside a repository
    return done.stdout.partition("\n")[0].partition(" Copyright")[0]
