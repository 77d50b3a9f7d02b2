"""A Postgres cluster of the tests' own: made in a temporary folder, reached by a Unix socket."""

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

START_SECONDS = 30
CRASH_SAFE = ("-c", "fsync=on")
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
SUPERUSER = "authsvc"


@cache
def find_binaries() -> Path | None:
    """The newest folder with `initdb` and `postgres` in it; None where Postgres is missing."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: int(bin.parent.name)
    )
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(asked.stdout.strip()))
    whole = [bin for bin in folders if (bin / "initdb").exists() and (bin / "postgres").exists()]
    return whole[-1] if whole else None


def unprivileged() -> dict[str, Any]:
    """How a subprocess becomes the user `postgres` when the tests run as root, which it refuses."""
    if os.getuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


@dataclass(frozen=True)
class Address:
    """Where a cluster is reached.

    Args:
        folder: the one with its socket.
    """

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True
        )

    def create_database(self, name: str) -> str:
        """A new, empty database; its URL."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


class Cluster:
    """A cluster and its server, which can be stopped, killed and started again.

    Args:
        binaries: the folder of Postgres's programs.
        options: the server's settings; `CRASH_SAFE` where it is going to be killed.
    """

    def __init__(self, binaries: Path, options: tuple[str, ...] = FAST) -> None:
        self.binaries = binaries
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-postgres-"))
        self.address = Address(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._initialise()

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> "Cluster":
        """Start the server; nothing happens where it runs already."""
        if self._process is not None:
            return self
        command = [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder]
        command += ["-c", "listen_addresses=", "-c", "max_connections=200", *self.options]
        command += ["-c", "timezone=Asia/Kathmandu"]  # where the server stands must not matter
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, **unprivileged()
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.address.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(f"Postgres did not start:\n{self.log.read_text()}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End the server: by SIGINT its sessions are cut off, by SIGKILL it crashes."""
        if self._process is None:
            return
        if number == signal.SIGKILL:
            self._kill_all()
        else:
            self._process.send_signal(number)
        self._process.wait(timeout=START_SECONDS)
        self._process = None

    def destroy(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _initialise(self) -> None:
        command = [self.binaries / "initdb", "--pgdata", self.folder / "data", "--no-sync"]
        command += ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
        made = subprocess.run(
            [*command, "--locale", "C.UTF-8"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            **unprivileged(),
        )
        assert made.returncode == 0, f"initdb as {getpass.getuser()}: {made.stderr}"

    def _kill_all(self) -> None:
        """The server's children outlive it for a moment and hold its shared memory: kill all."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in [parent, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
