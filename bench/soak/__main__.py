"""An hour of mixed load: python -m bench.soak, a part of make soak

Runs the service as it is deployed. Its clients register, log in, refresh and leave, and some send
what they should not. Exits with an error if a response was wrong or anything grew. A run of an hour
writes its table and its chart into docs/performance-method.md.
"""

import argparse
import signal
import sys

from bench.report.drawing import draw
from bench.report.page import METHOD, write_block
from bench.soak.report import CHART_FILE, COMMAND, chart, report
from bench.soak.run import run
from bench.soak.verdict import faults, growth

MIN_MINUTES = 60
"""A shorter run does not check for growth, and does not change the page."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MIN_MINUTES)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended then, too
    try:
        samples = run(minutes=options.minutes, rate=options.rate)
    except KeyboardInterrupt:
        sys.exit("Interrupted. The server is stopped.")
    problems = faults(samples)
    if options.minutes < MIN_MINUTES:
        print(f"A run of less than {MIN_MINUTES} minutes does not check whether memory grows.")
    else:
        problems += growth(samples)
        block = report(samples, rate=options.rate)
        print(block)
        if not problems:
            write_block(METHOD, block, command=COMMAND)
            draw(chart(samples), METHOD.parent / CHART_FILE)
    if problems:
        sys.exit(f"The run failed: {'; '.join(problems)}.")


if __name__ == "__main__":
    main()
