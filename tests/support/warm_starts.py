"""Start the service or a command in a fork of a process that has imported it: a tenth of the cost.

Importing the service is most of what a start costs, and the tests start it some sixty times.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from authsvc.monitoring.log_output import log_output

ROOT = Path(__file__).parents[2]
OWN_PATH = ("", str(ROOT))
"""What `sys.path` has for the folder in which the imports were made."""

PAUSE = 0.005
"""Seconds between two questions whether a process has ended."""


SERVICE = ("gunicorn.app.wsgiapp", "psycopg", "authsvc.app", "authsvc.server.boot")
COMMANDS = (*SERVICE[1:], "authsvc.cli", "authsvc.admin", "flask_migrate", "pytest")
"""What is imported for the service, and for the commands of an app that is built on it."""


class Forks:
    """A process that has imported modules, and forks on command; it ends with this process."""

    def __init__(self, imports: tuple[str, ...]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_starts", *imports],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the tests; it ends with its standard input
        )

    def ask(self, **question: Any) -> Any:
        """Send one question, and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@cache
def forks(imports: tuple[str, ...]) -> Forks:
    """Return the one of this test process."""
    return Forks(imports)


@dataclass
class Started:
    """A process that was started; it is used as `subprocess.Popen` is."""

    pid: int
    forks: Forks
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        if self.returncode is None:
            self.returncode = self.forks.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit status, after at most that many seconds.

        Raises:
            TimeoutExpired: the process runs still.
        """
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(PAUSE)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start_module(
    words: Sequence[str],
    cwd: Path,
    env: dict[str, str],
    output: Path,
    imports: tuple[str, ...] = SERVICE,
) -> Started:
    """Start `python -m` with these words, in a session of its own.

    Args:
        words: the module, and its arguments.
        cwd: the folder in which it runs.
        env: its whole environment; only `PYTHONPATH` among Python's own variables has an effect.
        output: the file to which its output is appended.
        imports: what the process that is forked has imported.
    """
    parent = forks(imports)
    pid = parent.ask(words=list(words), cwd=str(cwd), env=env, output=str(output))
    return Started(pid, parent)


def _serve() -> None:
    """Answer the questions of the standard input, one a line, until it ends."""
    gc.freeze()  # what was imported stays shared, and a fork's collections do not visit it
    for line in sys.stdin:
        question = json.loads(line)
        answer = _status(question["ended"]) if "ended" in question else _fork(question)
        print(json.dumps(answer), flush=True)


def _status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _fork(question: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    status: object = 1
    try:
        _become(question)
        runpy.run_module(question["words"][0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # as at the end of every Python, but os._exit leaves it out
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def _become(question: dict[str, Any]) -> None:
    """Give this process the session, output, folder, environment and path of its own."""
    os.setsid()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY
    output = os.open(question["output"], flags, 0o666)
    for standard in (1, 2):
        os.dup2(output, standard)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(output)
    os.close(nothing)
    log_output.follow_redirection()
    os.chdir(question["cwd"])
    os.environ.clear()
    os.environ.update(question["env"])
    sys.argv = list(question["words"])
    added = [path for path in question["env"].get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [question["cwd"], *added, *(path for path in sys.path if path not in OWN_PATH)]
    time.tzset()


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    _serve()
