"""The service beside its peers: make bench, or python -m bench.

Prints the results, and writes them with their charts into docs/performance.md and their details
into docs/performance-method.md, unless there were too few rounds for medians.
"""

import argparse
import signal
import sys

from bench.growth.report import COMMAND as GROWTH_COMMAND
from bench.growth.report import read_ratio
from bench.load.all_rounds import run
from bench.load.results import Results
from bench.load.route import Pace
from bench.load.wrk import WrkMissing, find_wrk
from bench.peers.catalog import AUTHSVC, BARE, PEERS
from bench.report.comparison import COMMAND, charts, details, report
from bench.report.drawing import draw
from bench.report.page import METHOD, PAGE, read_block, write_block

MIN_ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--seconds", type=float, default=2, help="load on each route in each round")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are ended then, too
    results = _measure(options.rounds, options.seconds)
    growth = read_ratio(read_block(PAGE, command=GROWTH_COMMAND))
    block = report(results, rounds=options.rounds, seconds=options.seconds, growth=growth)
    print(block, details(results), sep="\n\n")
    if options.rounds < MIN_ROUNDS:
        print(f"\nFewer than {MIN_ROUNDS} rounds: {PAGE.name} is not changed.", file=sys.stderr)
        return
    write_block(PAGE, block, command=COMMAND)
    write_block(METHOD, details(results), command=COMMAND)
    for name, chart in charts(results).items():
        draw(chart, PAGE.parent / name)


def _measure(rounds: int, seconds: float) -> Results:
    try:
        find_wrk()
        results = run(PEERS, rounds=rounds, pace=Pace(seconds))
    except WrkMissing as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. All servers are stopped.")
    for peer in (AUTHSVC, BARE):
        if not results.rounds_of(peer):
            sys.exit(f"{peer.name} could not be measured, so there is nothing to compare.")
    return results


if __name__ == "__main__":
    main()
