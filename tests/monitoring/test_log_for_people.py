"""The log is JSON for programs; on a terminal and with --reload it is text that a person reads."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.running_service import ROOT

CRASH = """
import logging.config
from authsvc.monitoring.log_format import server_logging

logging.config.dictConfig(server_logging())
try:
    {}["secret"]
except KeyError:
    logging.getLogger("authsvc").exception("it broke")
"""


def logged(*options: str, terminal: bool = False, **variables: str) -> str:
    """Return what a process with these arguments logs about an exception."""
    reader, writer = os.openpty() if terminal else os.pipe()
    try:
        subprocess.run(
            [sys.executable, "-c", CRASH, *options],
            stderr=writer,
            check=True,
            timeout=60,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **variables},
        )
        return os.read(reader, 65536).decode().replace("\r\n", "\n")
    finally:
        os.close(reader)
        os.close(writer)


def test_in_production_a_traceback_is_one_line_of_json() -> None:
    (line,) = logged("serve").splitlines()
    assert json.loads(line)["exception"].endswith("KeyError: 'secret'")


def test_on_a_terminal_a_traceback_has_several_lines() -> None:
    text = logged("serve", terminal=True)
    assert "\nTraceback (most recent call last):\n" in text
    assert "\nKeyError: 'secret'\n" in text


@pytest.mark.parametrize("where", ["an option", "the environment"])
def test_with_reload_a_traceback_has_several_lines_without_colours(where: str) -> None:
    options = ["--reload"] if where == "an option" else []
    variables = {} if options else {"GUNICORN_CMD_ARGS": "--workers 1 --reload"}
    text = logged("serve", *options, **variables)
    assert "\nTraceback (most recent call last):\n" in text
    assert "\nKeyError: 'secret'\n" in text
    assert "\x1b" not in text
