"""The files of an SQLite database: where they are, and that only their owner can read them."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from authsvc.database.errors import DatabaseUnfit

PRIVATE = 0o600
BESIDE = ("-wal", "-shm")
"""What SQLite appends to the database's name for the files that belong to it."""


def sqlite_url(file: Path) -> str:
    """Return the URL of a database file, whose path may have any character."""
    return URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite database; None for another kind of database."""
    parts = make_url(url)
    return Path(parts.database or "") if parts.get_backend_name() == "sqlite" else None


def beside(file: Path) -> list[Path]:
    """Return the paths of the write-ahead log and of its index."""
    return [file.with_name(f"{file.name}{ending}") for ending in BESIDE]


def require_folder(file: Path) -> None:
    """Check that the database's folder exists: a typing error must not create an empty service.

    Raises:
        DatabaseUnfit: it does not exist.
    """
    if not file.parent.is_dir():
        raise DatabaseUnfit(
            f"the database's folder {file.parent} does not exist: "
            "create it, or correct AUTHSVC_DATABASE_URL"
        )


def create_private(file: Path, like: Path) -> int:
    """Create a file with mode 0600, and return its descriptor.

    A file that root creates belongs to the owner of the path `like`: the service, which runs as
    another user, must be able to open what an operator made.

    Raises:
        FileExistsError: the file exists.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
    if os.geteuid() == 0:
        status = like.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)
    return descriptor


def open_lock(file: Path) -> int:
    """Open a lock file, which is created if it is missing, and return its descriptor."""
    try:
        return create_private(file, like=file.parent)
    except FileExistsError:
        return os.open(file, os.O_RDWR)


def make_private(file: Path) -> None:
    """Create the database's file if it is missing, and let its owner alone read its files.

    An existing database is not opened here: to close it would release the locks that SQLite
    holds in this process.
    """
    with suppress(FileExistsError):
        os.close(create_private(file, like=file.parent))
    for path in (file, *beside(file)):
        with suppress(FileNotFoundError, PermissionError):  # another user's: it is not ours to set
            if path.stat().st_mode & 0o077:
                path.chmod(PRIVATE)


def sync(path: Path) -> None:
    """Write a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checkpoint(file: Path) -> None:
    """Move the write-ahead log into the database, and remove it if no connection is left.

    A copy of the database's file is then complete.
    """
    if not file.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=1)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
