"""Fill a peer's database once, and start its server on a fresh copy of it for each round."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from authsvc.users.passwords import Passwords
from bench import ROOT
from bench.peers.bare import ANSWER
from bench.peers.definition import ALICE, SESSIONS, WORKERS, Peer
from bench.peers.server import NotStarted, Server, serving
from tests.support.gunicorn_server import environment, free_port
from tests.support.signing_secrets import ACCESS_SECRET

DISK = ROOT / "instance"
"""The databases are on the disk that the service's own would use, and not in memory."""
ARGON2ID = Passwords(min_length=len(ALICE["PASSWORD"])).hash(ALICE["PASSWORD"])
"""The hash of Alice's password as the service makes it. Peers get the same one."""
MAX_LOGOUTS_PER_SECOND = 2_500
LIMIT_FACTOR = "1000000"
"""Raises the service's rate limits beyond reach."""


@dataclass(frozen=True)
class Prepared:
    """A peer that can be started.

    Args:
        peer: the peer.
        folder: holds its database as it is at the beginning of each round.
    """

    peer: Peer
    folder: Path

    @property
    def cookies(self) -> Path:
        """The file with the refresh cookies of the service's stored sessions, one a line."""
        return self.folder / "cookies"

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
        port = free_port()
        command = [word.replace("{port}", str(port)) for word in self.peer.command]
        env = _environment(self.peer, self.live, PORT=str(port))
        try:
            with serving(command, env, self.live, port=port, path=self.peer.protected) as server:
                yield server
        finally:
            shutil.rmtree(self.live)


def prepare(peer: Peer, folder: Path, *, seconds: float) -> Prepared:
    """Make a peer's database: Alice and the stored sessions.

    Args:
        peer: the peer.
        folder: a new one.
        seconds: how long logouts are measured, so that enough sessions are stored.

    Raises:
        NotStarted: the command that fills the database failed.
    """
    folder.mkdir()
    prepared = Prepared(peer, folder)
    if peer.fill:
        logouts = int(seconds * MAX_LOGOUTS_PER_SECOND) if peer.logout and peer.auth else 0
        done = subprocess.run(
            peer.fill,
            cwd=folder,
            env=_environment(peer, folder, SESSIONS=str(max(SESSIONS, logouts))),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotStarted(done.stderr.strip()[-1000:])
        prepared.cookies.write_text(done.stdout)
    return prepared


def _environment(peer: Peer, folder: Path, **more: str) -> dict[str, str]:
    database = folder / "database"
    return {
        **environment(f"sqlite:///{database}", rate_limit_factor=LIMIT_FACTOR),
        **ALICE,
        "PASSWORD_HASH": ARGON2ID,
        "ANSWER": json.dumps(ANSWER),
        "DATABASE": str(database),
        "SECRET": ACCESS_SECRET.hex(),
        "SESSIONS": str(SESSIONS),
        "WORKERS": str(WORKERS),
        "PYTHONPATH": str(peer.modules),
        "NODE_ENV": "production",
        **peer.settings,
        **more,
    }
