"""The service as it is deployed, started on a free port and ended by its process id.

It runs under gunicorn, or under granian with `server="granian"`; docs/granian.md says when.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from tests.support.migrated_file import migrated_file
from tests.support.processes import has_ended
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET
from tests.support.warm_starts import Started, start_module

ROOT = Path(__file__).parents[2]
CHEAP_HASHES = "tests.support.cheap_hashes:app"
"""The app of tests that need many passwords and do not measure hashing."""
BOOT_SECONDS = 20
LOG_SECONDS = 10
DEATH_SECONDS = 5
LOG_MARK = "/is-the-log-written/"
THREADS = 28
"""Of each worker, as authsvc/gunicorn.py sets them."""

GUNICORN, GRANIAN = SERVERS = ("gunicorn", "granian")


@dataclass
class Service:
    """A running service.

    Args:
        process: the server's master.
        port: where it listens, on 127.0.0.1.
        output: the file with its whole output.
        server: gunicorn or granian.
    """

    process: subprocess.Popen[bytes] | Started
    port: int
    output: Path
    server: str = GUNICORN

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @contextmanager
    def connected(self) -> Iterator[HTTPConnection]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=15)) as connection:
            yield connection

    def log(self) -> str:
        """Return the output of a service with one worker, after the lines of all its responses.

        A request's line is written some milliseconds after its response, and in order.
        """
        mark = f"{LOG_MARK}{uuid4().hex}"
        with self.connected() as connection:
            connection.request("GET", mark)
            connection.getresponse().read()
        deadline = time.monotonic() + LOG_SECONDS
        while mark not in (text := self.output.read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.005)
        return "".join(line for line in text.splitlines(keepends=True) if LOG_MARK not in line)

    def empty_log(self) -> None:
        """Discard what a service with one worker has written, and what it is about to write."""
        self.log()
        os.truncate(self.output, 0)

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that run now."""
        master = self.process.pid
        return [
            int(child)
            for children in Path(f"/proc/{master}/task").glob("*/children")
            for child in children.read_text().split()
        ]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill the whole service: the master and its workers."""
        workers = self.workers
        os.killpg(self.process.pid, number)
        self.process.wait(timeout=30)
        deadline = time.monotonic() + DEATH_SECONDS
        while not all(map(has_ended, workers)) and time.monotonic() < deadline:
            time.sleep(0.001)  # a killed worker may outlive the master


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """Return a complete environment for the service; keywords are settings in lower case."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AUTHSVC_DATABASE_URL": database_url,
        "AUTHSVC_ACCESS_TOKEN_SECRET": ACCESS_SECRET.hex(),
        "AUTHSVC_REFRESH_TOKEN_SECRET": REFRESH_SECRET.hex(),
        **{f"AUTHSVC_{name.upper()}": value for name, value in settings.items()},
    }


def new_database(folder: Path) -> str:
    """Return the URL of a migrated SQLite database in that folder, which is made if need be."""
    file = folder / "authsvc.db"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(migrated_file())
    return f"sqlite:///{file}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(
    database_url: str,
    output: Path,
    *,
    server: str = GUNICORN,
    workers: int = 2,
    port: int | None = None,
    app: str = "wsgi:app",
    config: str = "python:authsvc.gunicorn",
    cwd: Path = ROOT,
    anew: bool = False,
    variables: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[Service]:
    """Run a service on a migrated database until the end of the block.

    Args:
        database_url: the database.
        output: the file to which its output is appended.
        server: gunicorn or granian; `config` is gunicorn's alone.
        workers: how many processes serve.
        port: where it listens; a free port by default.
        app: what is served.
        config: gunicorn's settings.
        cwd: the folder in which it runs.
        anew: start a new Python instead of forking a process that has imported the service, where
            the start itself or the memory of the process is tested.
        variables: further variables of the process's environment.
        settings: the service's settings, in lower case.
    """
    port = port or free_port()
    if server == GRANIAN:
        words = ["authsvc", "serve", "--server", GRANIAN, "--workers", str(workers)]
        cwd = cwd if app == "wsgi:app" else folder_with_wsgi(app, output)
    else:
        words = ["gunicorn", "--config", config, "--workers", str(workers), app]
    whole = {
        **environment(database_url, **settings),
        **(variables or {}),
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    process: subprocess.Popen[bytes] | Started
    if anew:
        with output.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=cwd,
                env=whole,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    else:
        process = start_module(words, cwd, whole, output)
    service = Service(process, port, output, server)
    try:
        wait_until_it_answers(service)
        yield service
    finally:
        if process.poll() is None:
            service.kill()  # SIGTERM would wait ten seconds for a connection that is kept alive


def folder_with_wsgi(app: str, output: Path) -> Path:
    """Return a folder, beside the output, whose wsgi.py is that app: `authsvc serve` takes it."""
    module, _, name = app.partition(":")
    folder = output.with_name(f"{output.name}.wsgi")
    folder.mkdir(exist_ok=True)
    (folder / "wsgi.py").write_text(f"from {module} import {name} as app\n")
    return folder


def wait_until_it_answers(service: Service, seconds: int = BOOT_SECONDS) -> None:
    """Wait until a service that was just started answers, at most that many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            break
        try:
            with service.connected() as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"it did not start:\n{service.output.read_text()}")
