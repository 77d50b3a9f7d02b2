"""The folder in which one service's workers measure: made by the master, removed when it ends."""

import atexit
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from authsvc import clock

PREFIX = "authsvc-metrics-"
FRESH_SECONDS = 60
"""A folder younger than this may be one that its master has not taken hold of yet."""


def make_metrics_folder(parent: Path | None) -> str:
    """A folder of this process and its workers; it goes with this process.

    One whose master was killed stays behind: the next service removes it.

    Args:
        parent: where; by default where temporary files are.
    """
    place = parent or Path(gettempdir())
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # held, another user's, or gone by now
            _remove_left_behind(folder)
    own = mkdtemp(prefix=PREFIX, dir=place)
    _hold(own)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def outlive_this_process() -> None:
    """In a worker: the counts do not end with it."""
    atexit.unregister(shutil.rmtree)


def _hold(folder: Path | str) -> int:
    """Lock a folder; the lock ends with the last process that was forked with it.

    Raises:
        OSError: somebody else holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_left_behind(folder: Path) -> None:
    status = folder.lstat()
    fresh = clock.now().timestamp() - status.st_mtime < FRESH_SECONDS
    if fresh or status.st_uid != os.geteuid():
        return
    held = _hold(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
