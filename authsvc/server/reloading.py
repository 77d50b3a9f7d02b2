"""`--reload`: a change of any module of the service or of the operator's takes effect."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from traceback import format_exception, walk_tb

_PACKAGE = Path(__file__).parent.parent
_STARTED = time.time()


def own_code_changed() -> bool:
    """Return whether a module of authsvc was changed since this process started.

    The master has imported them, and so a new worker would have the old ones.
    """
    return any(file.stat().st_mtime > _STARTED for file in _PACKAGE.rglob("*.py"))


def start_again() -> None:
    """Replace this process by a new one with the same arguments, under the same process id."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def traceback_of(error: BaseException) -> tuple[str, list[str]]:
    """Return the traceback of an error as text, and the files that it goes through."""
    return "".join(format_exception(error)), list(_files(error))


def _files(error: BaseException) -> Iterator[str]:
    if isinstance(error, SyntaxError) and error.filename is not None:
        yield error.filename
    for frame, _ in walk_tb(error.__traceback__):
        yield frame.f_code.co_filename
