"""Where the time of a request goes: python -m bench.profile

First within this process: CPU microseconds on one thread, the minimum of some batches, without the
cost of sockets, gunicorn and other threads. Then the layers of a protected route that gunicorn
serves under load, and the parts of a start. Prints tables in Markdown. It takes three minutes.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authsvc.monitoring.log_output import log_output
from bench.peers.prepare import LIMIT_FACTOR
from bench.profile.cpu_time import Rows
from bench.profile.start import start
from bench.profile.under_load import costs
from bench.report.page import METHOD, write_block
from tests.support.running_service import environment, new_database

COMMAND = "python -m bench.profile"


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/performance-method.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _log_into(Path(name) / "log"):
        os.environ |= environment(new_database(Path(name)), rate_limit_factor=LIMIT_FACTOR)
        # Imported now, when the settings are there.
        from bench.profile.in_process import profiles

        log_output.start_writer()  # as in a worker
        blocks = [_table(title, rows) for title, rows in profiles()]
        log_output.stop_writer()
        blocks.append(_table("A start", start()))
    blocks.append(_table("A protected route under load, all of the server", costs()))
    block = "\n\n".join(blocks)
    print(block)
    if options.write:
        write_block(METHOD, block, command=COMMAND)


@contextmanager
def _log_into(file: Path) -> Iterator[None]:
    """Write the log into a file, as in a deployment."""
    terminal = os.dup(sys.stderr.fileno())
    with file.open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    log_output.follow_redirection()
    try:
        yield
    finally:
        os.dup2(terminal, sys.stderr.fileno())


def _table(title: str, rows: Rows) -> str:
    lines = [f"| {title} | µs |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {name} | {cost:,.0f} |" for name, cost in rows)])


if __name__ == "__main__":
    main()
