"""Install the peers' packages from their locks, into folders of their own that git ignores."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PEERS = Path(__file__).parent
PYTHON = PEERS / "python"
NODE = PEERS / "node"
VENV_PYTHON = PYTHON / ".venv" / "bin" / "python"
NODE_MODULES = NODE / "node_modules"
NODE_BINARY = NODE_MODULES / ".bin" / "node"


class NotInstalled(Exception):
    """The packages could not be installed; the message holds the reason."""


def install_python() -> None:
    """Make the Python peers' virtual environment, by pip, with hashes.

    Raises:
        NotInstalled: pip failed.
    """
    lock = PYTHON / "requirements.txt"

    def install() -> None:
        _run(sys.executable, "-m", "venv", "--clear", str(VENV_PYTHON.parent.parent))
        pip = (str(VENV_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "--requirement", str(lock))

    _install_once(lock, VENV_PYTHON.parent.parent / ".installed", install)


def install_node() -> None:
    """Install the Node peers' modules, Node itself among them, by npm.

    Raises:
        NotInstalled: npm is missing or failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("npm is not installed. On Debian: apt-get install npm")
    options = ("--loglevel=error", "--no-audit", "--no-fund", "--prefix", str(NODE))
    lock = NODE / "package-lock.json"
    _install_once(lock, NODE_MODULES / ".installed", lambda: _run(npm, "ci", *options))


def _install_once(lock: Path, stamp: Path, install: Callable[[], None]) -> None:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"Installing {lock.parent.name} peers (once) ...", file=sys.stderr)
    install()
    stamp.write_text(digest)


def _run(*command: str) -> None:
    # npm trusts the certificates that the machine trusts.
    certificates = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}
    try:
        done = subprocess.run(
            command, env={**certificates, **os.environ}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotInstalled(str(error)) from None
    if done.returncode != 0:
        raise NotInstalled((done.stderr or done.stdout).strip()[-1000:])
