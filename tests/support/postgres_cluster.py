"""A private Postgres cluster in a temporary folder, reached over a Unix socket."""

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
ROOM = 2 * 1024**3
"""Bytes that a test run's databases have room in."""
CRASH_SAFE = ("-c", "fsync=on")
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
SUPERUSER = "authsvc"
STANDBY = "standby"


@cache
def find_binaries() -> Path | None:
    """Return the newest folder with `initdb` and `postgres`; None if there is none."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: int(bin.parent.name)
    )
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(asked.stdout.strip()))
    whole = [bin for bin in folders if (bin / "initdb").exists() and (bin / "postgres").exists()]
    return whole[-1] if whole else None


def folder_in_memory() -> Path | None:
    """Return a folder in memory with room for a cluster, which then waits for no disk, or None."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > ROOM else None


def unprivileged() -> dict[str, Any]:
    """Return the arguments that run a subprocess as `postgres`: Postgres refuses to run as root."""
    if os.getuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


@dataclass(frozen=True)
class Address:
    """How to reach a cluster.

    Args:
        folder: the folder with its socket.
    """

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True
        )

    def create_database(self, name: str) -> str:
        """Create an empty database, and return its URL."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


class Cluster:
    """A cluster whose server can be stopped, killed and started again.

    Args:
        binaries: the folder with Postgres's programs.
        options: the server's settings; `CRASH_SAFE` for a server that the test kills.
        primary: the running cluster that this one follows as its standby, if any.
    """

    def __init__(
        self,
        binaries: Path,
        options: tuple[str, ...] = FAST,
        primary: Address | None = None,
    ) -> None:
        self.binaries = binaries
        self.options = options
        self.primary = primary
        in_memory = folder_in_memory() if options is FAST else None
        self.folder = Path(tempfile.mkdtemp(prefix="authsvc-postgres-", dir=in_memory))
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
        """Start the server, if it is not running."""
        if self._process is not None:
            return self
        command = [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder]
        command += ["-c", "listen_addresses=", "-c", "max_connections=200", *self.options]
        command += ["-c", "timezone=Asia/Kathmandu"]  # the server's time zone must not matter
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
        """Stop the server: SIGINT disconnects its sessions, SIGKILL crashes it."""
        if self._process is None:
            return
        if number == signal.SIGKILL:
            self._kill_all()
        else:
            self._process.send_signal(number)
        self._process.wait(timeout=START_SECONDS)
        self._process = None

    def follow(self, primary: Address) -> None:
        """Become a standby, with a copy of that cluster's data in the place of its own."""
        self.stop()
        shutil.rmtree(self.folder / "data")
        self.primary = primary
        self._initialise()
        self.start()

    def promote(self) -> None:
        """Make a standby a primary."""
        with self.address.connect() as connection:
            connection.execute("SELECT pg_promote()")
        self.primary = None

    def require_standby(self) -> None:
        """Let each commit wait until the standby has it too, from when this returns."""
        with self.address.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            connection.execute("SELECT pg_reload_conf()")
            query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            deadline = time.monotonic() + START_SECONDS
            while connection.execute(query).fetchone() != (1,):
                assert time.monotonic() < deadline, "the standby did not connect"
                time.sleep(0.05)

    def destroy(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _initialise(self) -> None:
        command = [self.binaries / "initdb", "--pgdata", self.folder / "data", "--no-sync"]
        command += ["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]
        command += ["--locale", "C.UTF-8"]
        if self.primary is not None:
            source = f"host={self.primary.folder} user={SUPERUSER} application_name={STANDBY}"
            command = [self.binaries / "pg_basebackup", "--pgdata", self.folder / "data"]
            command += ["--dbname", source, "--write-recovery-conf", "--no-sync"]
            command += ["--checkpoint", "fast"]
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            **unprivileged(),
        )
        assert made.returncode == 0, f"{command[0]} as {getpass.getuser()}: {made.stderr}"

    def _kill_all(self) -> None:
        """Kill the server and its children, which would hold its shared memory for a moment."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in [parent, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
