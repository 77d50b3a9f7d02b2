"""The service beside what people would use instead: make bench, or python -m bench.

Prints the tables, and writes them with their plots into docs/performance.md unless there were too
few rounds for medians.
"""

import argparse
import signal
import sys
from pathlib import Path

from bench.load.all_rounds import run
from bench.load.one_round import Pace
from bench.load.wrk import WrkMissing, require_wrk
from bench.peers.catalog import AUTHSVC, BARE, PEERS
from bench.report.document import plots, report, write

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
FEWEST_ROUNDS = 5


def main() -> None:
    words = argparse.ArgumentParser(prog="make bench", description=__doc__)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--seconds", type=float, default=4, help="load on each route in each round")
    chosen = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers are ended then, too
    try:
        require_wrk()
        results = run(PEERS, rounds=chosen.rounds, pace=Pace(chosen.seconds))
    except WrkMissing as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; no server is left")
    for needed in (AUTHSVC, BARE):
        if needed.name in results.left_out:
            sys.exit(f"without {needed.name} there is nothing to compare")
    block = report(results, rounds=chosen.rounds, seconds=chosen.seconds)
    print(block)
    if chosen.rounds < FEWEST_ROUNDS:
        print(f"\nFewer than {FEWEST_ROUNDS} rounds: {PAGE.name} stays as it is.", file=sys.stderr)
    else:
        write(PAGE, block, plots(results))


if __name__ == "__main__":
    main()
