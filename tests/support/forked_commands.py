"""Run the commands of its standard input, one a line, each in a fork of this process.

Each sees what `python -m` would give it, except that the imports below are done once for all:
they are most of what such a command costs.

    python -m tests.support.forked_commands < commands
"""

import os
import runpy
import shlex
import sys
import traceback

import flask_migrate  # noqa: F401
import pytest  # noqa: F401

import authsvc.admin
import authsvc.app
import authsvc.cli
import authsvc.database.schema  # noqa: F401


def run(words: list[str]) -> int:
    """Run a module as a command, in a child process, and return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status: object = 0
    try:
        sys.argv = words
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else status is not None)


if __name__ == "__main__":
    for line in sys.stdin:
        words = shlex.split(line, comments=True)
        if words and (status := run(words)):
            sys.exit(status)
