"""The lock that tells `db restore` that the service is using an SQLite database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authsvc.database.errors import DatabaseUnfit
from authsvc.database.sqlite_files import open_lock

_held: dict[str, int] = {}
"""The descriptor of each database's lock that this process holds."""


def hold_while_serving(file: Path) -> None:
    """Hold the lock until this process ends, and every process that is forked from it.

    Raises:
        DatabaseUnfit: `db restore` is replacing the database at this moment.
    """
    if str(file) in _held:
        return
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DatabaseUnfit(
            f"{file} is being restored: start the service when `db restore` has finished"
        ) from None
    _held[str(file)] = descriptor


@contextmanager
def not_serving(file: Path) -> Iterator[None]:
    """Keep the service from starting during the block.

    Raises:
        DatabaseUnfit: the service is running.
    """
    descriptor = _open(file)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseUnfit(
                f"the service is running on {file}: stop it before you restore"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    lock = file.with_name(f"{file.name}.serving")
    try:
        return open_lock(lock)
    except OSError as error:
        raise DatabaseUnfit(
            f"{lock} cannot be opened ({error.strerror}): the service's user needs read and "
            "write access to the database's folder and files"
        ) from None
