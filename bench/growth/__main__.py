"""What a session costs when there are many: python -m bench.growth

Fills `refresh_tokens` of one database for each size, by COPY on Postgres, and then times what the
service does with a session: the functions behind the routes, without HTTP and without hashing,
which would hide the database. The sizes take turns, so that they can be compared even if the
machine has other work. Prints a table in Markdown for each database.
"""

import argparse
import tempfile

from bench.growth.report import CHART_FILE, COMMAND, chart, growth_table, report
from bench.growth.timing import Figures, measure_all
from bench.report.page import PAGE, write_block
from tests.support.postgres_cluster import CRASH_SAFE, Cluster, find_binaries

SIZES = (1_000, 100_000, 1_000_000, 10_000_000)
MAX_ON_SQLITE = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--max-rows", type=int, default=SIZES[-1], help="of the largest table")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    options = parser.parse_args()
    if options.write and options.max_rows < SIZES[-1]:
        parser.error("--write needs all sizes.")
    if options.write:  # imported before the measurement, in case matplotlib is missing
        from bench.report.drawing import draw
    sizes = [size for size in SIZES if size <= options.max_rows]
    figures = {"Postgres": _on_postgres(sizes), "SQLite": _on_sqlite(sizes)}
    if options.max_rows < SIZES[-1]:
        print("\n\n".join(growth_table(*one) for one in figures.items()))
        return
    block = report(figures)
    print(block)
    if options.write:
        write_block(PAGE, block, command=COMMAND)
        draw(chart(figures), PAGE.parent / CHART_FILE)


def _on_sqlite(sizes: list[int]) -> dict[int, Figures]:
    with tempfile.TemporaryDirectory() as folder:
        return measure_all(
            {size: f"sqlite:///{folder}/{size}.db" for size in sizes if size <= MAX_ON_SQLITE}
        )


def _on_postgres(sizes: list[int]) -> dict[int, Figures]:
    binaries = find_binaries()
    assert binaries is not None, "Postgres is not installed here: apt-get install postgresql"
    cluster = Cluster(binaries, CRASH_SAFE).start()
    try:
        return measure_all(
            {size: cluster.address.create_database(f"growth_{size}") for size in sizes}
        )
    finally:
        cluster.destroy()


if __name__ == "__main__":
    main()
