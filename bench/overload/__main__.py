"""Under overload: python -m bench.overload

Sends the service more than it can serve, first logins and then refreshes, each over a new
connection. Reports what becomes of them, how other clients are served meanwhile, and how soon the
service recovers. Then 24 people log in at once, 8 clients hammer the login, and 200 addresses flood
it. Does so under each server that is installed. Prints tables in Markdown.
"""

import argparse
import os
import signal
import sys
from importlib.util import find_spec

from bench.overload.crowds import measure_server
from bench.overload.report import COMMAND, SECONDS, report
from bench.peers.catalog import AUTHSVC, GRANIAN
from bench.report.page import PAGE, write_block


def main() -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended then, too
    load_average = os.getloadavg()[0]
    peers = {"gunicorn": AUTHSVC}
    if find_spec("granian"):
        peers["granian"] = GRANIAN
    results = {name: measure_server(peer, SECONDS) for name, peer in peers.items()}
    block = report(results, load_average=load_average)
    print(block)
    if options.write:
        write_block(PAGE, block, command=COMMAND)
    overloads = [each for one in results.values() for each in (one.logins, one.refreshes)]
    if any("None" in overload.under.retry_after for overload in overloads):
        sys.exit("Some requests were refused with 503 without Retry-After.")


if __name__ == "__main__":
    main()
