"""The ceiling: a bare Flask app that returns the same JSON, or ends a session, without auth.

`python -m bench.peers.bare` makes its database.
"""

import os
import sqlite3
import time
from threading import local

from flask import Flask

app = Flask(__name__, static_folder=None)
ANSWER: dict[str, object] = {
    "id": "01a20e05-6207-77f1-b8b6-33fa6213bd72",
    "name": "Alice",
    "items": [1, 2, 3],
}


@app.get("/api/things")
def things() -> dict[str, object]:
    return ANSWER


@app.post("/api/end")
def end() -> tuple[str, int]:
    if not hasattr(_thread, "sessions"):
        _thread.sessions = _sessions()
    _thread.sessions.end_one()
    return "", 204


class Sessions:
    """A table of sessions in SQLite, without SQLAlchemy.

    Args:
        file: the database.
        number: how many sessions the table has.
    """

    def __init__(self, file: str, number: int) -> None:
        self._number = number
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._ended = 0

    def make(self) -> None:
        self._connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, ended INTEGER)")
        self._connection.execute("BEGIN")
        rows = [(row,) for row in range(self._number)]
        self._connection.executemany("INSERT INTO sessions (id) VALUES (?)", rows)
        self._connection.execute("COMMIT")

    def end_one(self) -> None:
        """End the next session, durably. After the last one it starts over with the first.

        The value is a new one each time: SQLite writes nothing for a row that stays as it is, and
        each thread begins with the first row.
        """
        self._ended += 1
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(
            "UPDATE sessions SET ended = ? WHERE id = ?",
            (time.time_ns(), self._ended % self._number),
        )
        self._connection.execute("COMMIT")


_thread = local()


def _sessions() -> Sessions:
    return Sessions(os.environ["DATABASE"], int(os.environ["SESSIONS"]))


if __name__ == "__main__":
    _sessions().make()
