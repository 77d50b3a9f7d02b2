"""Under overload: python -m bench.overload

Sends the service more than it can serve, first logins and then refreshes, each over a new
connection. Reports what becomes of them, how other clients are served meanwhile, and how soon the
service recovers. Prints a table in Markdown.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench.overload.measure import measure
from bench.overload.report import COMMAND, SECONDS, report
from bench.peers.catalog import AUTHSVC
from bench.peers.prepare import DISK, prepare
from bench.report.page import PAGE, write_block


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended then, too
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="overload-", dir=DISK) as name:
        prepared = prepare(AUTHSVC, Path(name) / "service", seconds=0)
        with prepared.started() as server:
            logins, refreshes = measure(server, SECONDS)
    block = report(logins, refreshes, load_average=load_average)
    print(block)
    if options.write:
        write_block(PAGE, block, command=COMMAND)
    if any("None" in overload.under.retry_after for overload in (logins, refreshes)):
        sys.exit("Some requests were refused with 503 without Retry-After.")


if __name__ == "__main__":
    main()
