"""Whether the service runs for a developer: `authsvc serve --reload`."""

import os
import shlex
import sys


def reloads() -> bool:
    """Return whether gunicorn was started with `--reload`.

    gunicorn reads its configuration before its options, and the log is needed before both.
    """
    options = shlex.split(os.environ.get("GUNICORN_CMD_ARGS", ""))
    return "--reload" in [*sys.argv[1:], *options]
