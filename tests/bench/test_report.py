"""The tables, charts and blocks in the pages about performance, from made-up figures."""

import re
from collections import Counter
from math import inf
from pathlib import Path

import pytest

from bench.growth.report import COLUMNS, read_ratio
from bench.growth.report import COMMAND as GROWTH_COMMAND
from bench.growth.report import report as growth_report
from bench.load.crowd import Crowd
from bench.load.load_generator import Outcome
from bench.load.one_round import Figures
from bench.load.results import Results
from bench.load.route import RouteLoad
from bench.load.startup import Startup
from bench.load.wrk import Load
from bench.overload.crowds import ServerResults
from bench.overload.measure import Overload
from bench.overload.people import Seen, Sights
from bench.overload.report import COMMAND as OVERLOAD_COMMAND
from bench.overload.report import report as overload_report
from bench.peers.catalog import (
    AUTHSVC,
    BARE,
    EXPRESS,
    FAST_API,
    FASTIFY,
    GRANIAN,
    JWT_EXTENDED,
    OTHERS,
)
from bench.peers.server import Memory
from bench.profile.__main__ import COMMAND as PROFILE_COMMAND
from bench.report.charts import Bar
from bench.report.comparison import COMMAND, charts, details, report
from bench.report.goals import NOT_MET, goals
from bench.report.page import METHOD, PAGE, begin_marker, end_marker, read_block, write_block
from bench.report.summary import COLUMNS as FIGURES
from bench.report.summary import conclusion, summary
from bench.report.tables import tables
from bench.soak.report import COMMAND as SOAK_COMMAND
from tests.support.programs import program

ROUNDS = 3
BEGIN, END = begin_marker(COMMAND), end_marker(COMMAND)


@pytest.fixture
def results() -> Results:
    """Rounds in which most goals are met exactly."""
    bare = [figures(protected=rate, logout=180) for rate in (900, 1000, 5000)]
    ours = [
        figures(
            protected=rate,
            refresh=400,
            login=45,
            logout=90,
            cold_start=600,
            crowd=Crowd(load(1, p50=1), load(1, p50=5), burst),
            **{"bound refresh": 240},
        )
        for rate, burst in ((300, 2), (500, 1.5), (700, 3))
    ]
    granian = [
        figures(
            protected=1000,
            refresh=600,
            login=44,
            logout=95,
            crowd=Crowd(load(1, p50=1), load(1, p50=5.5), inf),
            **{"bound refresh": 300},
        )
    ] * ROUNDS
    fast_api = figures(protected=500, refresh=200, login=40, logout=80)
    extended = figures(protected=250, refresh=100, login=30, logout=20, cold_start=300)
    express = figures(protected=800, refresh=600, login=44, logout=900, cold_start=500)
    fastify = figures(protected=5000, refresh=4000, login=45, logout=950)
    return Results(
        peers=[
            (AUTHSVC, ours),
            (GRANIAN, granian),
            (BARE, bare),
            (JWT_EXTENDED, [extended] * ROUNDS),
            (FAST_API, [fast_api] * ROUNDS),
            (EXPRESS, [express] * ROUNDS),
            (FASTIFY, [fastify] * ROUNDS),
        ],
        hashes=[50] * ROUNDS,
        commits=[100] * ROUNDS,
        starts=[Startup(flask=150, help=240, completion=260)] * ROUNDS,
    )


def figures(*, cold_start: float = 750, crowd: Crowd | None = None, **rates: float) -> Figures:
    return Figures(
        cold_start=cold_start,
        memory=Memory(pss=180, largest=120),
        routes={name: RouteLoad(load(rate), 250e-6, repeats=2) for name, rate in rates.items()},
        crowd=crowd,
    )


def load(rate: float, *, p50: float = 3) -> Load:
    return Load(answered=int(rate), refused=0, seconds=1, p50=p50, p99=20)


def test_tables_show_medians_and_the_rounds(results: Results) -> None:
    text = tables(results)
    assert "| bare Flask: no auth at all | 1,000 | 900 to 5,000 | 3 | 20 | 250 | 0% | 6 |" in text
    assert "| **authsvc, gunicorn** | 500 | 300 to 700 | 3 | 20 | 250 | 0% | 6 |" in text
    assert "| the hash alone | 50 | 50 to 50 |  |  |  |  |  |" in text
    assert "| the commit alone | 100 | 100 to 100 |  |  |  |  |  |" in text
    assert "| **authsvc, gunicorn** | 1 | 5 | 20 | 2 | 1.5 to 3 |" in text
    assert f"| **authsvc, gunicorn** | {AUTHSVC.server} | 600 | 600 to 600 | 90 | 120 |" in text
    assert "| **authsvc, granian** | 1 | 5.5 | 20 | never | never to never |" in text
    assert "`authsvc --help` 240 ms" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({re.sub(r"[^|]", "", row) for row in rows[:9]}) == 1  # no row is too short


def test_the_summary_shows_the_multiples_of_each_peer(results: Results) -> None:
    rows = {line.split(" | ")[0]: line.split(" | ")[1:] for line in summary(results).splitlines()}
    assert rows["| **authsvc, granian**"][:4] == ["**1,000**", "**600**", "**44**", "**95**"]
    assert rows["| FastAPI, PyJWT, SQLModel"] == [
        "500 (1.0, 2.0)",
        "200 (2.0, 3.0)",
        "40 (1.1, 1.1)",
        "80 (1.1, 1.2)",
        "750 (0.80, 1.0)",
        "90 (1.0, 1.0) |",
    ]
    assert rows["| bare Flask: no auth at all"][1:3] == ["", ""]


def test_the_conclusion_is_what_the_figures_say(results: Results) -> None:
    assert conclusion(results) == (
        "Under gunicorn, authsvc is ahead of every Python peer at protected, refresh, login, "
        "logout and memory; Flask-JWT-Extended is ahead at cold start. "
        "Under granian it serves 2.0 and 1.5 times as many protected requests and refreshes, "
        "which is 2.0 and 3.0 times FastAPI and 1.2 and 1.0 times the Express of tutorials. "
        "The fastest peer, Fastify, fast-jwt with its cache, serves 5.0 times that again; but a "
        "login costs each of them the same hash: the peers serve 0.67 to 1.0 times as many."
    )


def test_the_conclusion_names_a_peer_that_is_ahead(results: Results) -> None:
    results.peers = [
        (
            peer,
            [figures(protected=600, login=50, cold_start=700)] * ROUNDS
            if peer is FAST_API
            else rounds,
        )
        for peer, rounds in results.peers
        if peer is not FASTIFY
    ]
    text = conclusion(results)
    assert "FastAPI is ahead at protected; FastAPI is ahead at login; Flask-JWT" in text
    assert "It is ahead of the fastest peer too, Express, jsonwebtoken, as in tutorials" in text


def test_the_conclusion_says_nothing_of_what_was_not_measured(results: Results) -> None:
    silent = figures(protected=500, refresh=200, login=0, logout=80)
    results.peers = [
        (peer, [silent] * ROUNDS if peer is FAST_API else rounds)
        for peer, rounds in results.peers
        if peer not in (EXPRESS, JWT_EXTENDED)
    ]
    text = conclusion(results)
    assert (
        "ahead of every Python peer at protected, refresh, logout, cold start and memory. " in text
    )
    assert "which is 2.0 and 3.0 times FastAPI. " in text


def test_the_goals_are_computed_from_the_run(results: Results) -> None:
    verdicts = {(goal.name, goal.unit): goal.verdict for goal in goals(results, growth=1.25)}
    unmet = {
        "cold start, gunicorn",
        "24 logins at once, granian",
        "8 clients hammer login, granian",
        "bound refresh, granian",
        "`authsvc --help` and the Tab key",
    }
    assert {name for (name, _), verdict in verdicts.items() if verdict == NOT_MET} == unmet
    assert set(verdicts.values()) == {NOT_MET, "met"}
    assert "| 10 million sessions | at most 1.25 times" in report(
        results, rounds=ROUNDS, seconds=1, growth=1.26
    )


def test_a_goal_without_a_figure_is_not_called_met(results: Results) -> None:
    results.peers = [one for one in results.peers if one[0] not in (FAST_API, GRANIAN)]
    verdicts = {(goal.name, goal.unit): goal.verdict for goal in goals(results, growth=None)}
    assert verdicts["protected, gunicorn", "times FastAPI"] == "not measured"
    assert verdicts["memory, granian", "MB a worker"] == "not measured"
    assert verdicts["10 million sessions", "times a refresh among 1,000"] == "not measured"
    assert verdicts["protected, the faster server", "times Express"] == NOT_MET


def test_a_route_that_failed_once_has_no_figure(results: Results) -> None:
    rounds = [figures(login=40), *[figures(login=40, logout=80)] * 2]
    results.peers = [(FAST_API, rounds)]
    assert results.figure(FAST_API, "logout") is None
    assert results.with_route("logout") == []
    assert results.figure(FAST_API, "login") == 40


def test_a_bar_is_as_long_as_the_median_of_its_rounds() -> None:
    bar = Bar("a", [1, 4, 8])
    assert bar.length == 4
    assert bar.error == (3, 4)


def test_each_chart_shows_the_rounds_of_the_servers_with_its_route(results: Results) -> None:
    bars = {file: chart.bars for file, chart in charts(results).items()}
    assert bars.keys() == {"bench-protected.svg", "bench-refresh.svg"}
    assert Bar(AUTHSVC.name, [300, 500, 700], highlighted=True) in bars["bench-protected.svg"]
    assert Bar(BARE.name, [900, 1000, 5000]) in bars["bench-protected.svg"]
    assert [bar.name for bar in bars["bench-refresh.svg"]][:2] == [AUTHSVC.name, GRANIAN.name]
    assert len(bars["bench-refresh.svg"]) == 6


def test_only_the_text_between_the_markers_is_replaced(results: Results, tmp_path: Path) -> None:
    program("wrk")
    page = tmp_path / "performance.md"
    page.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    results.left_out["Elsewhere"] = "npm is\nnot installed"
    write_block(page, report(results, rounds=ROUNDS, seconds=1, growth=1.2), command=COMMAND)
    text = page.read_text()
    assert text.startswith(f"Before.\n\n{BEGIN}\n\nUnder gunicorn, authsvc is ahead of")
    assert text.endswith(f"\n\n{END}\n\nAfter.\n")
    assert "old" not in text.splitlines()
    assert "Elsewhere (npm is not installed)" in text
    for file, chart in charts(results).items():
        assert f"![{chart.title}]({file})" in text
    write_block(page, details(results), command=COMMAND)
    assert "Elsewhere" not in page.read_text()
    assert "### A protected route" in read_block(page, command=COMMAND)


@pytest.mark.parametrize(
    ("page", "command"),
    [
        (PAGE, COMMAND),
        (PAGE, OVERLOAD_COMMAND),
        (PAGE, GROWTH_COMMAND),
        (METHOD, COMMAND),
        (METHOD, PROFILE_COMMAND),
        (METHOD, SOAK_COMMAND),
    ],
)
def test_the_pages_have_the_markers(page: Path, command: str) -> None:
    text = page.read_text()
    assert text.index(begin_marker(command)) < text.index(end_marker(command))


def test_the_page_explains_each_figure_whose_goal_is_not_met() -> None:
    """The bullets under "What bounds each figure" begin with the figure's name."""
    block = read_block(PAGE, command=COMMAND)
    unmet = re.findall(rf"^\| ([^|]+) \|.*{re.escape(NOT_MET)} \|$", block, re.MULTILINE)
    explained = re.findall(r"^- \*([^*]+)\*", PAGE.read_text(), re.MULTILINE)
    assert [name for name in unmet if not any(map(name.startswith, explained))] == []


def test_the_page_explains_each_figure_that_has_a_goal(results: Results) -> None:
    explained = re.findall(r"^- \*([^*]+)\*", PAGE.read_text(), re.MULTILINE)
    for goal in goals(results, growth=None):
        assert any(map(goal.name.startswith, explained)), goal.name


def test_the_method_says_what_each_figure_of_each_peer_means() -> None:
    text = METHOD.read_text().partition(BEGIN)[0]
    for peer in OTHERS:
        assert f"| {peer.name} |" in text, peer.name
    assert {"protected", "refresh", "login", "logout"} <= FIGURES.keys()


def test_a_page_without_both_markers_is_not_changed(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"{BEGIN}\n")
    with pytest.raises(ValueError, match="has no line"):
        write_block(page, "new", command=COMMAND)
    assert page.read_text() == f"{BEGIN}\n"


def test_the_goal_for_many_sessions_is_read_from_the_block_of_growth() -> None:
    small, large = dict.fromkeys(COLUMNS, 0.28), dict.fromkeys(COLUMNS, 0.35)
    sizes = {1_000: small, 10_000_000: {**large, "table": 222, "primary key": 40}}
    block = growth_report({"Postgres": sizes, "SQLite": {1_000: small}})
    assert "a session takes 262 bytes" in block
    assert "| SQLite, 1,000 sessions | 0.28 |" in block
    assert read_ratio(block) == 1.25
    assert read_ratio(read_block(PAGE, command=GROWTH_COMMAND)) is not None
    assert read_ratio("No figures.") is None


def test_the_overload_table_shows_what_became_of_the_requests() -> None:
    capacity = Outcome(10, 400, {"200": 400}, {}, {}, 0, 0, [20.0] * 99 + [50.0])
    statuses = {"200": 380, "503": 1300}
    under = Outcome(10, 1700, statuses, {"2": 1300}, {}, 3, 17, [30.0, 90.0])
    logins = Overload("160 a second", capacity, under, 1, 4, 0.05)
    protected = Seen(Counter({"200": 3}), [1.0, 2.0, 30.0])
    entering = Seen(Counter({"200": 1, "503": 2}), [2000.0, inf])
    sights = Sights(protected, protected, entering, under)
    burst = Counter({"200": 70, "503": 2})
    one = ServerResults(logins, logins, burst, 900.0, sights, sights, sights)
    text = overload_report({"gunicorn": one, "granian": one}, load_average=1.5)
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
        assert f"| {row}{3 * (' | ' + row.partition(' | ')[2])} |\n" in text
    for row in (
        "24 people log in at once, 3 times: statuses | 70 200, 2 503",
        "and the slowest of them, ms | 900",
        "a flood from 200 addresses: a protected request | 3 200: 2.0, 30.0",
        "a login, with its retries | 1 200, 2 503: 2,000.0, inf",
        "what the flood got | 380 200, 1,300 503, 17 no response",
    ):
        assert f"| {row} | {row.partition(' | ')[2]} |\n" in f"{text}\n"
