"""make bench: what it reads, what it writes, and one short round of bare Flask and the service."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.load.all_rounds import DISK, run
from bench.load.load_generator import Outcome
from bench.load.one_round import Figures, Loaded, Pace, lopsided
from bench.load.results import Results
from bench.load.wrk import Load, LoadFailed, parse
from bench.overload import __main__ as overload
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.definition import Auth, Peer
from bench.peers.server import Memory
from bench.report.bars import Bar, bars
from bench.report.document import BEGIN, BY, END, plots, report, write
from bench.report.tables import tables
from tests.support.programs import program

WRK = """Running 5s test @ http://127.0.0.1:8000/api/things
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.11ms    1.02ms  20.14ms   88.10%
  10000 requests in 4.00s, 1.50MB read
Requests/sec:   2500.00

{"requests": 10000, "duration": 4000000, "p50": 3105, "p99": 20140, "refused": 0, "broken": 0}
"""
ROUNDS = 3


@pytest.fixture
def results() -> Results:
    """Made up: rounds in which the service does half of what bare Flask does."""
    bare = [figures(protected=rate, logout=400) for rate in (900, 1000, 5000)]
    ours = [
        figures(protected=rate, refresh=400, login=45, logout=90, alone=1, hammered=6)
        for rate in (300, 500, 700)
    ]
    return Results(
        peers=[(BARE, bare), (AUTHSVC, ours)],
        hashes=[{"argon2id": 50, "scrypt": 10}] * ROUNDS,
        commits=[100] * ROUNDS,
    )


def figures(*, alone: float = 0, hammered: float = 0, **rates: float) -> Figures:
    return Figures(
        cold_start=750,
        memory=Memory(shared_out=190, largest=120),
        routes={name: Loaded(loaded(rate), 250e-6, repeated=2) for name, rate in rates.items()},
        alone=loaded(1, p50=alone),
        hammered=loaded(1, p50=hammered),
    )


def folders_of_processes() -> Iterator[str]:
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            yield str(link.readlink())


def loaded(rate: float, *, p50: float = 3) -> Load:
    return Load(answered=int(rate), refused=0, seconds=1, p50=p50, p99=20)


def test_what_wrk_reports_is_read() -> None:
    assert parse(WRK) == Load(answered=10000, refused=0, seconds=4, p50=3.105, p99=20.14)
    assert parse(WRK).rate == 2500


def test_refused_requests_are_not_counted_as_answers() -> None:
    output = WRK.replace('"refused": 0', '"refused": 1000')
    assert parse(output, refusals="wait").rate == 2250


@pytest.mark.parametrize(
    "output",
    [
        WRK.replace('"refused": 0', '"refused": 1'),
        WRK.replace('"broken": 0', '"broken": 1'),
        "unable to connect to 127.0.0.1:8000 Connection refused\n",
        "",
    ],
)
def test_a_load_that_went_wrong_is_no_figure(output: str) -> None:
    with pytest.raises(LoadFailed):
        parse(output)


def test_tables_show_medians_and_what_they_are_to_the_ceilings(results: Results) -> None:
    text = tables(results)
    assert "| bare Flask: no auth at all | 1,000 | 900 to 5,000 | 1.00 | 3 | 20 | 250 | 6 |" in text
    assert "| **authsvc** | 500 | 300 to 700 | 0.50 | 3 | 20 | 250 | 6 |" in text
    assert "| **authsvc** | 400 | 400 to 400 | 0.40 | 3 | 20 | 250 | 6 |" in text
    assert "| **authsvc** | 45 | 45 to 45 | argon2id | 0.90 | 3 | 20 | 0% | 6 |" in text
    assert "| **authsvc** | 90 | 90 to 90 | 0.90 | 3 | 20 | 250 |" in text
    assert "| **authsvc** | gunicorn, gthread, 4 threads | 750 | 95 | 120 |" in text


def test_tables_tell_which_targets_are_met(results: Results) -> None:
    lines = tables(results).partition("\n\n### A protected route")[0].splitlines()
    assert {line.split(" | ")[0]: line.endswith("| met |") for line in lines[4:]} == {
        "| protected": False,
        "| refresh": False,
        "| login": False,
        "| logout": True,
        "| protected p50 while 8 clients hammer login": False,
        "| cold start": True,
        "| memory": False,
    }


@pytest.mark.parametrize(
    ("spent", "told"),
    [([0, 0.9, 0.7], False), ([0, 1.1, 0], True), ([0.1, 1.0, 0.3], True), ([1.1], True)],
)
def test_a_load_that_one_process_served_is_lopsided(spent: list[float], told: bool) -> None:
    assert lopsided(spent) is told


def test_a_plot_has_a_bar_as_long_as_the_median_of_its_rounds() -> None:
    picture = ElementTree.fromstring(bars("R&D", [Bar("a", [1, 4, 8]), Bar("b", [2, 2, 2])]))
    _, *drawn = picture.iter("{http://www.w3.org/2000/svg}rect")
    assert float(drawn[0].attrib["width"]) == 2 * float(drawn[1].attrib["width"]) > 0
    assert "R&D" in "".join(picture.itertext())


def test_only_what_is_between_the_markers_is_written(results: Results, tmp_path: Path) -> None:
    program("wrk")
    page = tmp_path / "performance.md"
    page.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    results.left_out["Elsewhere"] = "npm is\nnot installed"
    write(page, report(results, rounds=ROUNDS, seconds=1), plots(results))
    text = page.read_text()
    assert text.startswith(f"Before.\n\n{BEGIN}\n\nMedians of 3 interleaved rounds of 1 s")
    assert text.endswith(f"\n\n{END}\n\nAfter.\n")
    assert "old" not in text.splitlines()
    assert "Elsewhere (npm is not installed)" in text
    for name in ("bench-protected.svg", "bench-refresh.svg", "bench-login.svg"):
        assert f"]({name})" in text
        assert (tmp_path / name).read_text().startswith("<svg")


@pytest.mark.parametrize("by", [BY, overload.BY])
def test_the_page_has_the_markers(by: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    assert page.index(BEGIN.replace(BY, by)) < page.index(END.replace(BY, by))


def test_a_page_without_markers_is_left_alone(results: Results, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"{BEGIN}\n")
    with pytest.raises(ValueError, match="has no line"):
        write(page, "new", {})
    assert page.read_text() == f"{BEGIN}\n"


def test_what_became_of_too_many_is_told() -> None:
    fits = Outcome(10, 400, {"200": 400}, {}, {}, 0, 0, [20.0] * 99 + [50.0])
    under = Outcome(10, 1700, {"200": 380, "503": 1300}, {"2": 1300}, {}, 3, 17, [30.0, 90.0])
    logins = overload.Overload("160 a second", fits, under, 20, 1, 4, 0.05)
    text = overload.report(logins, logins, others=1.5)
    for row in (
        "served with as many clients as fit | 40 a second",
        "p50, p99 of these, ms | 20, 20",
        "then offered | 160 a second",
        "served | 38 a second",
        "503 with `Retry-After` | 1,300",
        "let in later, the queue being full | 3",
        "not let in within 10 s, or until the end | 17",
        "let in, and broken or without an answer in 10 s | 0",
        "p50 of a protected request, before and meanwhile, ms | 1.0, 4.0",
        "as quick as before after, ms | 50",
    ):
        assert f"| {row} | {row.partition(' | ')[2]} |\n" in f"{text}\n"


def test_a_round_measures_each_route_and_leaves_nothing_behind() -> None:
    program("wrk")
    broken = Peer("broken", "none", ("false",), modules=Path(), auth=Auth("argon2id"))
    results = run((BARE, broken, AUTHSVC), rounds=1, pace=Pace(0.3, warm_up=0))
    assert list(results.left_out) == ["broken"]
    (_, [bare]), (_, [ours]) = results.peers
    assert sorted(bare.routes) == ["logout", "protected"]
    assert sorted(ours.routes) == ["login", "logout", "protected", "refresh"]
    for measured in (bare, ours):
        assert measured.cold_start > 0
        assert measured.memory.shared_out >= measured.memory.largest / 2 > 0
    for name in ("protected", "refresh", "logout"):
        assert ours.routes[name].load.rate > 0
        assert ours.routes[name].cpu_seconds > 0
    assert list(DISK.glob("bench-*")) == []
    assert not any(folder.startswith(f"{DISK}/bench-") for folder in folders_of_processes())
    assert "### Targets" in tables(results)
