"""Where it was measured, and with which versions."""

import json
import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.load.wrk import require_wrk
from bench.peers.install import NODE, NODE_BINARY, NODE_MODULES, VENV_PYTHON

OURS = ("flask", "werkzeug", "gunicorn", "sqlalchemy", "pyjwt", "pwdlib")
PYTHON_PEERS = (
    "flask", "gunicorn", "flask-jwt-extended", "flask-sqlalchemy", "django",
    "djangorestframework", "djangorestframework-simplejwt", "fastapi", "uvicorn", "sqlmodel",
    "pyjwt", "pwdlib",
)  # fmt: skip


def machine() -> str:
    """Its processors, memory and kernel, in a sentence."""
    cores = len(os.sched_getaffinity(0))
    told = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cores} cores of {names[0] if names else platform.machine()}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}"
    )


def versions() -> list[str]:
    """A line for each of the runtimes that are installed."""
    ours = ", ".join(f"{name} {version(name)}" for name in OURS)
    lines = [
        f"authsvc {version_of_authsvc()}: CPython {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {ours}"
    ]
    if VENV_PYTHON.is_file():
        lines.append(f"Python peers: {_python_peers()}")
    if NODE_BINARY.is_file():
        lines.append(f"Node peers: {_node_peers()}")
    return [*lines, f"load: {_first_line(require_wrk(), '--version')}"]


def version_of_authsvc() -> str:
    """With the commit, where it is known."""
    from authsvc import __version__

    commit = _first_line("git", "rev-parse", "--short", "HEAD")
    return f"{__version__} ({commit})" if commit else __version__


def _python_peers() -> str:
    ask = (
        "import platform, sys; from importlib.metadata import version;"
        "print(f'CPython {platform.python_version()}',"
        " *(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    return _first_line(str(VENV_PYTHON), "-c", ask, *PYTHON_PEERS)


def _node_peers() -> str:
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    found = [
        f"{name} {json.loads((NODE_MODULES / name / 'package.json').read_text())['version']}"
        for name in wanted
    ]
    ask = "console.log(`Node ${process.version}, SQLite ${process.versions.sqlite}`)"
    return ", ".join([_first_line(str(NODE_BINARY), "-e", ask), *found])


def _first_line(*command: str) -> str:
    """What a program says first; nothing where there is no such program."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    # wrk shows its version and ends with an error, git may know of no repository
    return done.stdout.partition("\n")[0].partition(" Copyright")[0]
