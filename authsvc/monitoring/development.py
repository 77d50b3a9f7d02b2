"""Whether the service runs for a developer: `authsvc serve --reload`."""

import os
import sys


def reloads() -> bool:
    """Return whether gunicorn was started with `--reload`.

    gunicorn reads its configuration before its options, and the log is needed before both.
    """
    return "--reload" in [*sys.argv[1:], *os.environ.get("GUNICORN_CMD_ARGS", "").split()]
