"""A peer with its database filled, and its server on a fresh copy of that, as often as wanted."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load.ceilings import ARGON2ID
from bench.peers.bare import ANSWER
from bench.peers.definition import ALICE, SESSIONS, WORKERS, Peer
from bench.peers.server import NotStarted, Server, serving
from tests.support.gunicorn_server import environment, free_port
from tests.support.signing_secrets import ACCESS_SECRET

MOST_LOGOUTS_A_SECOND = 2_500
WITHOUT_LIMITS = "1000000"


@dataclass(frozen=True)
class Prepared:
    """A peer that can be started.

    Args:
        peer: it.
        folder: holds its database as it is at the beginning of each round.
    """

    peer: Peer
    folder: Path

    @property
    def cookies(self) -> Path:
        """The service's list of cookies to log out with, one a line."""
        return self.folder / "cookies"

    @property
    def live(self) -> Path:
        """The folder that the running server uses."""
        return self.folder.with_name(f"{self.folder.name}-live")

    @contextmanager
    def started(self) -> Iterator[Server]:
        """Its server, until the end of the block.

        Raises:
            NotStarted: it gave no answer.
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
        peer: it.
        folder: a new one.
        seconds: for how long sessions will be ended: there are enough of them.

    Raises:
        NotStarted: it could not be made.
    """
    folder.mkdir()
    prepared = Prepared(peer, folder)
    if peer.fill:
        logouts = int(seconds * MOST_LOGOUTS_A_SECOND) if peer.logout and peer.auth else 0
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
        **environment(f"sqlite:///{database}", rate_limit_factor=WITHOUT_LIMITS),
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
