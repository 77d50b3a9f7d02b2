"""A server as docs/deploy.md sets it up, in a temporary folder, and its commands without root."""

import compileall
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.running_service import ROOT, environment

USUAL_PATH = "/usr/bin:/bin"
CAP_DAC_READ_SEARCH = 1 << 2


def as_user(user: str = "nobody", group: str = "nogroup") -> list[str]:
    """Return what goes before a command so that root's tests run it as another user.

    That user may read everything: a checkout and its virtual environment may be in root's own
    folders. In a container root may lack the capability for this, and then the test is skipped.
    """
    if os.getuid() != 0:
        return []
    (own,) = re.findall(r"^CapEff:\s+(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    if not int(own, 16) & CAP_DAC_READ_SEARCH:
        pytest.skip("root has no CAP_DAC_READ_SEARCH here, so no other user can read the checkout")
    reads = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *reads]


@dataclass(frozen=True)
class Server:
    """The parts of the machine that the service uses.

    Args:
        code: the checkout, which only root may change.
        state: the folder of the database, which the service's user owns.
    """

    code: Path
    state: Path

    def run(self, *command: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run a command in the checkout, as the service's user."""
        return subprocess.run(
            [*as_user(), *command],
            cwd=self.code,
            env={"PATH": USUAL_PATH},
            capture_output=True,
            text=True,
            **options,
        )

    def start(
        self,
        command: list[str | Path],
        variables: dict[str, str],
        listening: socket.socket,
        output: Path,
    ) -> "subprocess.Popen[bytes]":
        """Start a command as systemd does for a socket unit: the socket is its third file."""
        adopt = f'exec 3<&{listening.fileno()}; LISTEN_PID=$$ exec "$@"'
        with output.open("ab") as log:
            return subprocess.Popen(
                [*as_user(), "bash", "-c", adopt, "bash", *command],
                cwd=self.code,
                env={"PATH": USUAL_PATH, "LISTEN_FDS": "1", **variables},
                pass_fds=[listening.fileno()],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def files(self) -> list[str]:
        """Return the files of the checkout, to which the service must add none."""
        return sorted(str(path) for path in self.code.rglob("*"))


@contextmanager
def server() -> Iterator[Server]:
    """Create code, settings and an empty state folder, until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="authsvc-server-"))
    folder.chmod(0o755)
    made = Server(folder / "code", folder / "state")
    shutil.copytree(ROOT / "authsvc", made.code / "authsvc")
    shutil.copy(ROOT / "wsgi.py", made.code)
    compileall.compile_dir(made.code, quiet=1)  # what this checkout has not compiled yet
    (made.code / ".venv").symlink_to(sys.prefix)
    (made.code / "instance").mkdir()
    settings = environment(f"sqlite:///{made.state / 'authsvc.db'}")
    lines = [f"{name}={value}\n" for name, value in settings.items() if name.startswith("AUTHSVC")]
    (made.code / "instance" / "authsvc.env").write_text("".join(lines))
    made.state.mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(made.state, "nobody", "nogroup")
    try:
        yield made
    finally:
        shutil.rmtree(folder)
