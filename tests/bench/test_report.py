"""The tables, charts and blocks in docs/performance.md, from made-up figures."""

from pathlib import Path

import pytest

from bench.load.load_generator import Outcome
from bench.load.one_round import Figures, RouteLoad
from bench.load.results import Results
from bench.load.wrk import Load
from bench.overload.measure import Overload
from bench.overload.report import COMMAND as OVERLOAD_COMMAND
from bench.overload.report import report as overload_report
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.server import Memory
from bench.report.charts import Bar
from bench.report.comparison import COMMAND, charts, report
from bench.report.page import PAGE, begin_marker, end_marker, write_block
from bench.report.tables import tables
from tests.support.programs import program

ROUNDS = 3
BEGIN, END = begin_marker(COMMAND), end_marker(COMMAND)


@pytest.fixture
def results() -> Results:
    """Rounds in which the service is half as fast as bare Flask."""
    bare = [figures(protected=rate, logout=400) for rate in (900, 1000, 5000)]
    ours = [
        figures(
            protected=rate,
            refresh=400,
            login=45,
            logout=90,
            alone=1,
            flooded=6,
            **{"bound refresh": 250},
        )
        for rate in (300, 500, 700)
    ]
    return Results(
        peers=[(BARE, bare), (AUTHSVC, ours)],
        hashes=[{"argon2id": 50, "scrypt": 10}] * ROUNDS,
        commits=[100] * ROUNDS,
    )


def figures(*, alone: float = 0, flooded: float = 0, **rates: float) -> Figures:
    return Figures(
        cold_start=750,
        memory=Memory(pss=190, largest=120),
        routes={name: RouteLoad(load(rate), 250e-6, repeats=2) for name, rate in rates.items()},
        alone=load(1, p50=alone),
        flooded=load(1, p50=flooded),
    )


def load(rate: float, *, p50: float = 3) -> Load:
    return Load(answered=int(rate), refused=0, seconds=1, p50=p50, p99=20)


def test_tables_show_medians_and_their_ratio_to_the_ceilings(results: Results) -> None:
    text = tables(results)
    assert "| bare Flask: no auth at all | 1,000 | 900 to 5,000 | 1.00 | 3 | 20 | 250 | 6 |" in text
    assert "| **authsvc** | 500 | 300 to 700 | 0.50 | 3 | 20 | 250 | 6 |" in text
    assert "| **authsvc** | 400 | 400 to 400 | 0.40 | 3 | 20 | 250 | 6 |" in text
    bound = "| **authsvc**, session bound to a key | 250 | 250 to 250 | 0.25 | 3 | 20 | 250 | 6 |"
    assert bound in text
    assert "| **authsvc** | 45 | 45 to 45 | argon2id | 0.90 | 3 | 20 | 0% | 6 |" in text
    assert "| **authsvc** | 90 | 90 to 90 | 0.90 | 3 | 20 | 250 |" in text
    assert f"| **authsvc** | {AUTHSVC.server} | 750 | 95 | 120 |" in text


def test_tables_show_which_targets_are_met(results: Results) -> None:
    lines = tables(results).partition("\n\n### A protected route")[0].splitlines()
    assert {line.split(" | ")[0]: line.endswith("| met |") for line in lines[4:]} == {
        "| protected": False,
        "| refresh": False,
        "| bound refresh": True,
        "| login": False,
        "| logout": True,
        "| protected p50 while 8 clients flood login": False,
        "| cold start": True,
        "| memory": False,
    }


def test_a_bar_is_as_long_as_the_median_of_its_rounds() -> None:
    bar = Bar("a", [1, 4, 8])
    assert bar.length == 4
    assert bar.error == (3, 4)


def test_each_chart_shows_the_rounds_of_the_servers_with_its_route(results: Results) -> None:
    bars = {file: chart.bars for file, chart in charts(results).items()}
    assert bars == {
        "bench-protected.svg": [
            Bar(BARE.name, [900, 1000, 5000]),
            Bar(AUTHSVC.name, [300, 500, 700], highlighted=True),
        ],
        "bench-refresh.svg": [Bar(AUTHSVC.name, [400] * ROUNDS, highlighted=True)],
        "bench-login.svg": [Bar(AUTHSVC.name, [45] * ROUNDS, highlighted=True)],
    }


def test_only_the_text_between_the_markers_is_replaced(results: Results, tmp_path: Path) -> None:
    program("wrk")
    page = tmp_path / "performance.md"
    page.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    results.left_out["Elsewhere"] = "npm is\nnot installed"
    write_block(page, report(results, rounds=ROUNDS, seconds=1), command=COMMAND)
    text = page.read_text()
    assert text.startswith(f"Before.\n\n{BEGIN}\n\nMedians of 3 interleaved rounds of 1 s")
    assert text.endswith(f"\n\n{END}\n\nAfter.\n")
    assert "old" not in text.splitlines()
    assert "Elsewhere (npm is not installed)" in text
    for file, chart in charts(results).items():
        assert f"![{chart.title}]({file})" in text


@pytest.mark.parametrize("command", [COMMAND, OVERLOAD_COMMAND])
def test_the_page_has_the_markers(command: str) -> None:
    text = PAGE.read_text()
    assert text.index(begin_marker(command)) < text.index(end_marker(command))


def test_a_page_without_both_markers_is_not_changed(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"{BEGIN}\n")
    with pytest.raises(ValueError, match="has no line"):
        write_block(page, "new", command=COMMAND)
    assert page.read_text() == f"{BEGIN}\n"


def test_the_overload_table_shows_what_became_of_the_requests() -> None:
    capacity = Outcome(10, 400, {"200": 400}, {}, {}, 0, 0, [20.0] * 99 + [50.0])
    statuses = {"200": 380, "503": 1300}
    under = Outcome(10, 1700, statuses, {"2": 1300}, {}, 3, 17, [30.0, 90.0])
    logins = Overload("160 a second", capacity, under, 1, 4, 0.05)
    text = overload_report(logins, logins, load_average=1.5)
    for row in (
        "served at capacity | 40 a second",
        "p50, p99 at capacity, ms | 20, 20",
        "then offered | 160 a second",
        "served | 38 a second",
        "503 with `Retry-After` | 1,300",
        "accepted late, after a full queue | 3",
        "not accepted within 10 s or until the end | 17",
        "accepted, but broken or without a response in 10 s | 0",
        "p50 of a protected request before and during the load, ms | 1.0, 4.0",
        "recovered after, ms | 50",
    ):
        assert f"| {row} | {row.partition(' | ')[2]} |\n" in f"{text}\n"
