"""bench.soak: what it notices, in made-up series, and some seconds of the real thing."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.load.all_rounds import DISK
from bench.peers.server import Process
from bench.report.document import write
from bench.soak.__main__ import PAGE, run
from bench.soak.report import BY, PLOT, plot, report
from bench.soak.samples import Sample, total
from bench.soak.verdict import faults, growth, memory_grew

LOOKS = 60
STEADY = [80.0] * LOOKS
NOISY = [80 + number % 3 for number in range(LOOKS)]
FILLING = [min(80.0, 40.0 + 5 * number) for number in range(LOOKS)]
"""Caches fill in the first sixth."""
LEAKING = [80 + 0.1 * number for number in range(LOOKS)]
MANY_A_LITTLE = [80 + 0.06 * number for number in range(LOOKS)]
"""Three megabytes in an hour, which is less than 5 %."""
FEW_A_LITTLE = [20 + 0.03 * number for number in range(LOOKS)]
"""A megabyte and a half, which is more than 5 %."""
FALLING = LEAKING[::-1]
ONE_HIGH = [*STEADY[:-1], 200.0]


def process(pid: int, mb: float, *, files: int = 20, threads: int = 6) -> Process:
    return Process(pid, pss=mb, private=mb / 2, files=files, threads=threads)


def made_up(series: list[float]) -> list[Sample]:
    """A run whose second worker holds so many MB."""
    return [
        Sample(
            minutes=number + 1,
            processes=[process(10, 40), process(11, 80), process(12, mb)],
            database=7,
            rows={"users": 100, "refresh_tokens": 5000, "security_events": 900, "rate_limits": 9},
            statuses=Counter({"200": 900, "503": 2}),
            wrong=Counter(),
            p50=1.5,
            p99=20,
        )
        for number, mb in enumerate(series)
    ]


@pytest.mark.parametrize("series", [STEADY, NOISY, FILLING, FALLING, ONE_HIGH])
def test_what_settles_has_not_grown(series: list[float]) -> None:
    assert not memory_grew(series)
    assert growth(made_up(series)) == []


@pytest.mark.parametrize("series", [LEAKING, MANY_A_LITTLE, FEW_A_LITTLE])
def test_a_leak_is_noticed(series: list[float]) -> None:
    assert memory_grew(series)


def test_it_is_told_which_process_grew() -> None:
    told = growth(made_up(LEAKING))
    assert told == ["pss memory of worker 2, MB: 81.5 in the second sixth, 85.5 in the last one"]


@pytest.mark.parametrize("kind", ["files", "threads"])
def test_files_and_threads_that_are_not_closed_are_noticed(kind: str) -> None:
    samples = [
        replace(sample, processes=[replace(sample.processes[0], **{kind: 20 + number})])
        for number, sample in enumerate(made_up(STEADY))
    ]
    assert [sentence.partition(":")[0] for sentence in growth(samples)] == [kind]


def test_an_answer_that_should_not_be_and_a_process_that_ends_are_told() -> None:
    samples = made_up(STEADY)
    assert faults(samples) == []
    wrong = replace(samples[3], wrong=Counter({"refresh 500": 2}))
    ended = replace(samples[4], processes=samples[4].processes[:2])
    assert faults([*samples[:3], wrong, ended]) == [
        "2 times: refresh 500",
        "a process ended, or another one came",
    ]


def test_the_page_has_the_table_and_the_plot(tmp_path: Path) -> None:
    samples = made_up(STEADY)
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    write(page, report(samples, rate=90), {PLOT: plot(samples)}, by=BY)
    text = page.read_text()
    assert "60 minutes at 90 requests a second" in text
    assert "| PSS of worker 2, MB | 80.0 | 80.0 | 80.0 | 80.0 |" in text
    assert "200: 54,000, 503: 120" in text
    assert f"]({PLOT})" in text
    words = "".join(ElementTree.parse(tmp_path / PLOT).getroot().itertext())
    for name in ("the first process", "worker 1", "worker 2", "p99", "60 min"):
        assert name in words


def test_some_seconds_of_it_are_answered_as_they_should_be_and_leave_nothing() -> None:
    samples = run(minutes=0.15, rate=60)
    assert faults(samples) == []
    last = samples[-1]
    assert len(last.processes) == 3
    assert all(process.pss > process.private > 0 for process in last.processes)
    assert all(process.threads > 0 < process.files for process in last.processes)
    assert last.rows["users"] > 1
    assert last.rows["refresh_tokens"] > 100
    assert last.p99 >= last.p50 > 0
    assert {"200", "201", "401"} <= total(samples, "statuses").keys()
    assert list(DISK.glob("soak-*")) == []
