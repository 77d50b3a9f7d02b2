"""Issue 14, number 7: `db backup` and `db restore` of SQLite, also when a restore is killed."""

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from authsvc.database import revisions, schema
from authsvc.database.errors import DatabaseUnfit
from authsvc.database.serving_lock import not_serving
from authsvc.database.sqlite_backup import CannotBackUp, backup, restore
from authsvc.database.sqlite_files import sqlite_url
from tests.support.running_service import ROOT

ROWS = 200
INSERT = (
    "INSERT INTO users (id, email, email_key, password_hash, created_at) VALUES (?, ?, ?, ?, ?)"
)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A database of which the newest rows are still in the write-ahead log."""
    file = tmp_path / "what?now #1%41" / "authsvc.db"
    file.parent.mkdir()
    schema.upgrade(sqlite_url(file))
    add_users(file, "old")
    return file


@pytest.fixture
def copy(live: Path, tmp_path: Path) -> Path:
    """A backup with the users `old`; the database has got the users `new` since."""
    backup(live, tmp_path / "backup.db")
    add_users(live, "new")
    return tmp_path / "backup.db"


def add_users(file: Path, prefix: str) -> None:
    rows = [(f"{prefix}{n:029}", f"{prefix}{n}", f"{prefix}{n}", "x", "2026") for n in range(ROWS)]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(INSERT, rows)


def users(file: Path) -> dict[str, int]:
    """Return how many users a database has of each prefix; it must be sound."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT substr(email, 1, 3), count(*) FROM users GROUP BY 1 ORDER BY 1"
        return dict(connection.execute(query).fetchall())


@contextmanager
def left_by_a_crash(file: Path) -> Iterator[None]:
    """Add users in a process that is killed, so that they are in the write-ahead log alone."""
    code = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        f"connection.execute({INSERT!r}, ('c' * 32, 'log', 'log', 'x', '2026'))\n"
        "connection.commit()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, file], check=False)
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0
    yield


def test_a_backup_holds_every_commit_and_only_its_owner_can_read_it(
    live: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backup.db"
    with left_by_a_crash(live):
        backup(live, target)
    assert users(target) == {"log": 1, "old": ROWS}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.db"]


def test_a_backup_does_not_overwrite_a_file(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(CannotBackUp, match=r"backup\.db exists: choose a name that is free"):
        backup(live, target)
    assert target.read_text() == "precious"


def test_a_backup_of_a_missing_database_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotBackUp, match="There is no database"):
        backup(tmp_path / "missing.db", tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_while_another_thread_writes_holds_whole_transactions(
    live: Path, tmp_path: Path
) -> None:
    done, prefixes = Event(), [f"t{n:02}" for n in range(60)]

    def write() -> None:
        for prefix in prefixes:
            if not done.is_set():
                add_users(live, prefix)

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            backup(live, tmp_path / f"{number}.db")
            assert set(users(tmp_path / f"{number}.db").values()) == {ROWS}
    finally:
        done.set()
        writer.join()


def test_a_restore_brings_the_backup_back_and_keeps_the_old_database(
    live: Path, copy: Path
) -> None:
    with left_by_a_crash(live):
        old = restore(copy, live)
    assert users(live) == {"old": ROWS}
    assert old is not None
    assert users(old) == {"log": 1, "new": ROWS, "old": ROWS}
    for file in (live, old):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert schema.upgrade(sqlite_url(live)) == revisions.newest()


def test_a_restore_without_an_old_database_ignores_a_log_that_it_left(
    live: Path, copy: Path
) -> None:
    with left_by_a_crash(live):
        live.unlink()
    assert restore(copy, live) is None
    assert users(live) == {"old": ROWS}


def test_a_restore_replaces_a_damaged_database(live: Path, copy: Path) -> None:
    live.write_bytes(b"damaged" * 1000)
    old = restore(copy, live)
    assert users(live) == {"old": ROWS}
    assert old is not None
    assert old.read_bytes() == b"damaged" * 1000


def test_a_restore_is_refused_while_another_connection_is_open(live: Path, copy: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("SELECT count(*) FROM users").fetchall()
        with pytest.raises(CannotBackUp, match=r"Another program is using .*: stop it before"):
            restore(copy, live)
    assert users(live) == {"new": ROWS, "old": ROWS}


def test_two_restores_at_once_are_refused(live: Path, copy: Path) -> None:
    with not_serving(live), pytest.raises(DatabaseUnfit, match="stop it before you restore"):
        restore(copy, live)


@pytest.mark.parametrize("content", ["", "This is a letter. " * 100])
def test_a_file_that_is_not_a_backup_is_not_restored(
    live: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "letter").write_text(content)
    with pytest.raises(CannotBackUp, match="is not a backup of authsvc"):
        restore(tmp_path / "letter", live)
    assert users(live) == {"old": ROWS}


def test_a_damaged_backup_is_not_restored(live: Path, copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[len(content) // 2 :] = b"x" * (len(content) - len(content) // 2)
    copy.write_bytes(content)
    with pytest.raises(CannotBackUp):
        restore(copy, live)
    assert users(live) == {"new": ROWS, "old": ROWS}


KILLED = """
import json, os, signal, sqlite3, sys
from pathlib import Path
from authsvc.database.sqlite_backup import restore

copy, database = map(Path, sys.argv[1:])
EVENTS = {"open", "os.link", "os.rename", "os.remove", "sqlite3.connect", "fcntl.flock"}

def run(steps):
    seen = 0
    def kill(event, arguments):
        nonlocal seen
        if event in EVENTS:
            seen += 1
            if seen == steps:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(kill)
    restore(copy, database)
    os._exit(0)

def users(file):
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    query = "SELECT substr(email, 1, 3), count(*) FROM users GROUP BY 1 ORDER BY 1"
    return dict(connection.execute(query).fetchall())

found, status = [], -9
while status == -9:
    child = os.fork()
    if child == 0:
        run(len(found) + 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    reader = os.fork()  # connections of this process would be inherited
    if reader == 0:
        print(json.dumps(users(database)), flush=True)
        os._exit(0)
    os.waitpid(reader, 0)
    found.append(status)
print(json.dumps(found))
"""


def test_a_restore_that_is_killed_at_any_step_leaves_a_complete_database(
    live: Path, copy: Path
) -> None:
    with left_by_a_crash(live):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, copy, live],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    *contents, statuses = map(json.loads, done.stdout.splitlines())
    old, new = {"log": 1, "new": ROWS, "old": ROWS}, {"old": ROWS}
    assert [found for found in contents if found not in (old, new)] == []
    assert contents[0] == old
    assert contents[-1] == new
    assert len(statuses) > 10
    assert list(live.parent.glob("*.restoring*")) == []
