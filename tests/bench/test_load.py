"""What a load reports, and one short round of bare Flask and of the service."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.load.all_rounds import run
from bench.load.lines import StoredSessions
from bench.load.progress import Progress
from bench.load.route import CONNECTIONS, Pace, is_lopsided
from bench.load.wrk import Load, LoadFailed, parse
from bench.peers.catalog import AUTHSVC, BARE
from bench.peers.definition import Auth, Peer
from bench.peers.prepare import DISK
from bench.report.tables import tables
from tests.support.programs import program

WRK_OUTPUT = """Running 5s test @ http://127.0.0.1:8000/api/things
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.11ms    1.02ms  20.14ms   88.10%
  10000 requests in 4.00s, 1.50MB read
Requests/sec:   2500.00

{"requests": 10000, "duration": 4000000, "p50": 3105, "p99": 20140, "refused": 0, "broken": 0}
"""


def test_the_report_of_wrk_is_read() -> None:
    load = parse(WRK_OUTPUT)
    assert load == Load(answered=10000, refused=0, seconds=4, p50=3.105, p99=20.14)
    assert load.rate == 2500


def test_refused_requests_do_not_count_as_answered() -> None:
    output = WRK_OUTPUT.replace('"refused": 0', '"refused": 1000')
    assert parse(output, refusals="wait").rate == 2250


@pytest.mark.parametrize(
    "output",
    [
        WRK_OUTPUT.replace('"refused": 0', '"refused": 1'),
        WRK_OUTPUT.replace('"broken": 0', '"broken": 1'),
        "unable to connect to 127.0.0.1:8000 Connection refused\n",
        "",
    ],
)
def test_a_load_with_a_fault_fails(output: str) -> None:
    with pytest.raises(LoadFailed):
        parse(output)


@pytest.mark.parametrize(
    ("cpu_seconds", "lopsided"),
    [([0, 0.9, 0.7], False), ([0, 1.1, 0], True), ([0.1, 1.0, 0.3], True), ([1.1], True)],
)
def test_a_load_that_one_process_served_is_lopsided(
    cpu_seconds: list[float], lopsided: bool
) -> None:
    assert is_lopsided(cpu_seconds) is lopsided


def test_a_stored_session_is_used_once(tmp_path: Path) -> None:
    file = tmp_path / "sessions"
    file.write_text("\n".join(map(str, range(100))))
    stored = StoredSessions(file, tmp_path)
    assert stored.left().read_text().splitlines()[1] == stored.sent_next[0] == "1"
    stored.use(answered=50)
    assert int(stored.sent_next[0]) > 50 + CONNECTIONS
    assert stored.left().read_text().splitlines()[1] == stored.sent_next[0]


def test_the_time_that_is_left_follows_the_parts_that_are_done() -> None:
    progress = Progress([10, 30, 20])
    assert progress.remaining() == pytest.approx(60, abs=1)
    progress.end()
    progress.end()
    assert progress.remaining() < 20  # the first two took no time


@pytest.mark.soak
def test_a_round_measures_each_route_and_leaves_nothing_behind() -> None:
    program("wrk")
    broken = Peer("broken", "none", "Python", ("false",), modules=Path(), auth=Auth())
    results = run((BARE, broken, AUTHSVC), rounds=1, pace=Pace(0.3, warm_up=0))
    assert list(results.left_out) == ["broken"]
    (_, [bare]), (_, [ours]) = results.peers
    assert bare.failed == ours.failed == {}
    assert ours.crowd is not None
    assert 0 < ours.crowd.burst < 10
    assert sorted(bare.routes) == ["logout", "protected"]
    assert sorted(ours.routes) == ["bound refresh", "login", "logout", "protected", "refresh"]
    for figures in (bare, ours):
        assert figures.cold_start > 0
        assert figures.memory.pss >= figures.memory.largest / 2 > 0
    for name in ("protected", "refresh", "bound refresh", "logout"):
        assert ours.routes[name].load.rate > 0
        assert ours.routes[name].cpu_seconds > 0
    assert list(DISK.glob("bench-*")) == []
    assert not any(folder.startswith(f"{DISK}/bench-") for folder in working_directories())
    assert "### Login" in tables(results)


def working_directories() -> Iterator[str]:
    """Yield the working directory of every process that this user may see."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            yield str(link.readlink())
