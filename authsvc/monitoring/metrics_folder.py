"""The folder of one service's metrics files: the master makes it, and removes it when it ends."""

import atexit
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir, mkdtemp

from authsvc import clock

PREFIX = "authsvc-metrics-"
FRESH_SECONDS = 60
"""The master of a folder younger than this may not have locked it yet."""


def make_metrics_folder(parent: Path | None) -> str:
    """Return a new folder for this process and its workers, removed when this process ends.

    The folder of a master that was killed stays: the next service that starts removes it.

    Args:
        parent: the folder to make it in; by default the system's folder for temporary files.
    """
    parent = parent or Path(gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # in use, another user's, or already removed
            _remove_abandoned(folder)
    own = mkdtemp(prefix=PREFIX, dir=parent)
    _lock(own)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def writable(folder: Path) -> Path | None:
    """Return the folder if files can be created in it; None if it is missing or read-only."""
    try:
        with TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def keep_after_this_process() -> None:
    """In a worker: leave the folder in place when this process ends."""
    atexit.unregister(shutil.rmtree)


def _lock(folder: Path | str) -> int:
    """Lock a folder until the last process that was forked with the lock ends.

    Raises:
        OSError: another process has locked it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned(folder: Path) -> None:
    status = folder.lstat()
    fresh = clock.now().timestamp() - status.st_mtime < FRESH_SECONDS
    if fresh or status.st_uid != os.geteuid():
        return
    lock = _lock(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
