"""Fill a peer's database once, and start its server on a fresh copy of it for each round."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from authsvc.users.passwords import Passwords
from bench import ROOT
from bench.peers.bare import ANSWER
from bench.peers.definition import ALICE, SESSIONS, WORKERS, Peer
from bench.peers.server import NotStarted, Server, serving
from tests.support.postgres_cluster import Cluster
from tests.support.running_service import environment, free_port
from tests.support.signing_secrets import ACCESS_SECRET

DISK = ROOT / "instance"
"""The databases are on the disk that the service's own would use, and not in memory."""
ARGON2ID = Passwords(min_length=len(ALICE["PASSWORD"])).hash(ALICE["PASSWORD"])
"""The hash of Alice's password as the service makes it. Peers get the same one."""
FILLED, LIVE = "filled", "live"
"""The names of Postgres's databases."""
LIMIT_FACTOR = "1000000"
"""Raises the service's rate limits beyond reach."""


@dataclass(frozen=True)
class Prepared:
    """A peer that can be started.

    Args:
        peer: the peer.
        folder: holds its database as it is at the beginning of each round.
        cluster: holds its database instead, if that is one of Postgres.
    """

    peer: Peer
    folder: Path
    cluster: Cluster | None = None

    @property
    def sessions(self) -> Path:
        """The file with what a client sends for each stored session, one a line."""
        return self.folder / "sessions"

    @property
    def live(self) -> Path:
        """The folder that the running server uses."""
        return self.folder.with_name(f"{self.folder.name}-live")

    @contextmanager
    def started(self) -> Iterator[Server]:
        """Start the server on a copy of the database, and stop it at the end of the block.

        Raises:
            NotStarted: the server did not answer.
        """
        shutil.copytree(self.folder, self.live)
        try:
            for name, text in self.peer.files.items():
                (self.live / name).write_text(text)
            port = free_port()
            command = [word.replace("{port}", str(port)) for word in self.peer.command]
            with self._database() as url:
                env = _environment(self.peer, self.live, url, PORT=str(port))
                path = self.peer.protected
                with serving(command, env, self.live, port=port, path=path) as server:
                    yield server
        finally:
            shutil.rmtree(self.live)

    @contextmanager
    def _database(self) -> Iterator[str]:
        """Copy the database, and return the URL of the copy."""
        if self.cluster is None:
            yield _sqlite(self.live)
            return
        address = self.cluster.address
        with address.connect() as connection:
            connection.execute(f"CREATE DATABASE {LIVE} TEMPLATE {FILLED}")
        try:
            yield address.url(LIVE)
        finally:
            # Suppressed, since Ctrl-C has ended Postgres, too.
            with suppress(psycopg.OperationalError), address.connect() as connection:
                connection.execute(f"DROP DATABASE {LIVE} WITH (FORCE)")


def prepare(
    peer: Peer, folder: Path, *, seconds: float, cluster: Cluster | None = None
) -> Prepared:
    """Make a peer's database: Alice and the stored sessions.

    Args:
        peer: the peer.
        folder: a new one.
        seconds: how long logouts are measured, so that enough sessions are stored.
        cluster: makes the database in this cluster of Postgres, which has none yet.

    Raises:
        NotStarted: the command that fills the database failed.
    """
    folder.mkdir()
    prepared = Prepared(peer, folder, cluster)
    if peer.fill:
        url = cluster.address.create_database(FILLED) if cluster else _sqlite(folder)
        once = int(seconds * peer.auth.max_logouts) if peer.auth else 0
        done = subprocess.run(
            peer.fill,
            cwd=folder,
            env=_environment(peer, folder, url, SESSIONS=str(max(SESSIONS, once))),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotStarted(done.stderr.strip()[-1000:])
        prepared.sessions.write_text(done.stdout)
        if not cluster:
            _write_ahead(folder / "database")
    return prepared


def _write_ahead(database: Path) -> None:
    """Give each peer the journal with which SQLite is faster. The file keeps this mode."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'database'}"


def _environment(peer: Peer, folder: Path, url: str, **more: str) -> dict[str, str]:
    return {
        **environment(url, rate_limit_factor=LIMIT_FACTOR),
        **ALICE,
        "PASSWORD_HASH": ARGON2ID,
        "ANSWER": json.dumps(ANSWER),
        "DATABASE": str(folder / "database"),
        "SECRET": ACCESS_SECRET.hex(),
        "SESSIONS": str(SESSIONS),
        "WORKERS": str(WORKERS),
        "PYTHONPATH": str(peer.modules),
        "NODE_ENV": "production",
        **peer.settings,
        **more,
    }
