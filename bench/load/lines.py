"""Requests that must differ, each with a line of its own: stored sessions, and fresh proofs."""

from math import ceil
from pathlib import Path

from authsvc.doctor.proofs import Key
from bench.load.route import CONNECTIONS

UNANSWERED = 40
"""More requests than wrk has made when a load ends, beyond those that were answered."""


class StoredSessions:
    """The stored sessions of a running server, each of which can be used once.

    Args:
        file: what a client sends for each session, one a line.
        folder: where to write those that are left.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        self._lines = file.read_text().splitlines()
        self._left = folder / "sessions-left"

    @property
    def sent_next(self) -> list[str]:
        """What the next clients to use one send: wrk makes one request that it does not send."""
        return self._lines[1 : 1 + CONNECTIONS]

    def left(self) -> Path:
        """Return a file with the sessions that were not used."""
        self._left.write_text("\n".join(self._lines) + "\n")
        return self._left

    def use(self, answered: int) -> None:
        """Take away those that a load with so many responses has used."""
        del self._lines[: answered + UNANSWERED]


class Proofs:
    """Proofs of possession (DPoP, RFC 9449) for one route, each for one request.

    Args:
        key: signs them.
        method, url: of the route.
        folder: where to write them.
    """

    def __init__(self, key: Key, method: str, url: str, folder: Path) -> None:
        self._key, self._method, self._url = key, method, url
        self._file = folder / "proofs"

    def fresh(self, number: float) -> Path:
        """Return a file with at least so many new proofs, made now."""
        proofs = (self._key.proof(self._method, self._url) for _ in range(ceil(number)))
        self._file.write_text("\n".join(proofs) + "\n" * 2)
        return self._file
