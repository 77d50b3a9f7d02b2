"""Back up an SQLite database while it is in use, and restore a backup while it is not."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from authsvc import clock
from authsvc.database.serving_lock import not_serving
from authsvc.database.sqlite_files import (
    beside,
    create_private,
    open_lock,
    require_folder,
    sync,
)
from authsvc.database.version_table import OLD_VERSION_TABLE, VERSION_TABLE

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class CannotBackUp(Exception):
    """The backup cannot be made or restored. The message says why and what to do."""


def backup(database: Path, target: Path) -> None:
    """Write a consistent copy of the database into a new file with mode 0600.

    The service may go on writing meanwhile. The file appears when it is complete and on the disk.

    Raises:
        CannotBackUp: there is no database, the target exists, or the copy is damaged.
    """
    if not database.exists():
        raise CannotBackUp(f"There is no database {database}: nothing was backed up.")
    if target.exists():
        raise CannotBackUp(f"{target} exists: choose a name that is free.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with _removed_at_the_end(draft):
        os.close(create_private(draft, like=target.parent))
        _copy(database, draft, journal="DELETE")
        try:
            os.link(draft, target)
        except FileExistsError:
            raise CannotBackUp(f"{target} exists: choose a name that is free.") from None
    sync(target.parent)


def restore(source: Path, database: Path) -> Path | None:
    """Replace the database by a backup, and return the path at which the old one is kept.

    At every moment the database is either the old one or the new one, complete: also when this
    process is killed.

    Raises:
        CannotBackUp: the source is not a backup of authsvc, or a program is using the database.
        DatabaseUnfit: the service is running, or the database's folder does not exist.
    """
    require_folder(database)
    _require_backup(source)
    if database.exists() and source.samefile(database):
        raise CannotBackUp(f"{source} is the database itself: give the path of a backup.")
    draft = database.with_name(f"{database.name}.restoring")
    with _alone(database), _removed_at_the_end(draft):
        _remove(draft)
        like = database if database.exists() else database.parent
        os.close(create_private(draft, like))
        _copy(source, draft, journal="WAL")
        old = _keep_aside(database)
        draft.replace(database)
        sync(database.parent)
    return old


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Keep the service and migrations away from the database."""
    with not_serving(database):
        migrating = open_lock(database.with_name(f"{database.name}.lock"))
        try:
            fcntl.flock(migrating, fcntl.LOCK_EX)  # `db upgrade` holds it for a moment
            yield
        finally:
            os.close(migrating)


def _copy(source: Path, target: Path, journal: str) -> None:
    """Copy one database into another, as it is at one moment, and write it to the disk."""
    try:
        with closing(_connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute(f"PRAGMA journal_mode = {journal}")
            [result] = new.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise CannotBackUp(f"{source} cannot be copied: {error}.") from None
    if result != "ok":
        raise CannotBackUp(f"{source} is damaged: {result}.")
    sync(target)


def _keep_aside(database: Path) -> Path | None:
    """Give the old database a second name, and remove its write-ahead log.

    A log that stayed would be applied to the new database and damage it.
    """
    old = None
    if database.exists():
        _take_log_in(database)
        old = database.with_name(f"{database.name}.before-{clock.now():%Y%m%dT%H%M%S.%fZ}")
        os.link(database, old)
    name = old.name if old else f"{database.name}.orphaned"
    for path in beside(database):  # only a damaged or a missing database still has them
        with suppress(FileNotFoundError):
            path.replace(path.with_name(name + path.name.removeprefix(database.name)))
    sync(database.parent)
    return old


def _take_log_in(database: Path) -> None:
    """Move the write-ahead log into the database, which no other program may have open.

    A damaged database cannot take it in. That may be why it is being replaced.
    """
    try:
        with closing(sqlite3.connect(database, timeout=1)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code in _IN_USE:
            raise CannotBackUp(
                f"Another program is using {database}: stop it before you restore."
            ) from None
        if code not in _DAMAGED:
            raise CannotBackUp(f"{database} cannot be replaced: {error}.") from None


def _require_backup(source: Path) -> None:
    if not source.is_file():
        raise CannotBackUp(f"There is no file {source}.")
    try:
        with closing(_connect(source)) as connection:
            names = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master").fetchall()
            }
    except sqlite3.Error as error:
        raise CannotBackUp(f"{source} is not a backup of authsvc: {error}.") from None
    if not names >= {"users", "refresh_tokens"} or not names & {VERSION_TABLE, OLD_VERSION_TABLE}:
        raise CannotBackUp(f"{source} is not a backup of authsvc: it has none of its tables.")


def _connect(file: Path) -> sqlite3.Connection:
    """Connect to a database that exists: `connect` would create one."""
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)


@contextmanager
def _removed_at_the_end(draft: Path) -> Iterator[None]:
    try:
        yield
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    for path in (draft, *beside(draft), draft.with_name(f"{draft.name}-journal")):
        path.unlink(missing_ok=True)
