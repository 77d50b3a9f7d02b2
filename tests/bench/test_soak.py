"""What the soak notices, in made-up series, and some seconds of a real run."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers.prepare import DISK
from bench.peers.processes import Process
from bench.report.page import METHOD, write_block
from bench.soak.report import CHART_FILE, COMMAND, chart, report
from bench.soak.run import run
from bench.soak.samples import Sample, total
from bench.soak.verdict import faults, growth, memory_grew

SAMPLES = 60
STEADY = [80.0] * SAMPLES
NOISY = [80 + number % 3 for number in range(SAMPLES)]
FILLING = [min(80.0, 40.0 + 5 * number) for number in range(SAMPLES)]
"""Caches fill in the first sixth."""
LEAKING = [80 + 0.1 * number for number in range(SAMPLES)]
LEAKING_MEGABYTES = [80 + 0.06 * number for number in range(SAMPLES)]
"""Three megabytes in an hour, which is less than 5 %."""
LEAKING_PERCENT = [20 + 0.03 * number for number in range(SAMPLES)]
"""A megabyte and a half, which is more than 5 %."""
FALLING = LEAKING[::-1]
ONE_PEAK = [*STEADY[:-1], 200.0]


def process(pid: int, mb: float, *, files: int = 20, threads: int = 6) -> Process:
    return Process(pid, pss=mb, private=mb / 2, files=files, threads=threads)


def run_of(series: list[float]) -> list[Sample]:
    """Return a made-up run with these MB of its second worker."""
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


@pytest.mark.parametrize("series", [STEADY, NOISY, FILLING, FALLING, ONE_PEAK])
def test_memory_that_settles_has_not_grown(series: list[float]) -> None:
    assert not memory_grew(series)
    assert growth(run_of(series)) == []


@pytest.mark.parametrize("series", [LEAKING, LEAKING_MEGABYTES, LEAKING_PERCENT])
def test_a_leak_is_noticed(series: list[float]) -> None:
    assert memory_grew(series)


def test_the_process_that_grew_is_named() -> None:
    assert growth(run_of(LEAKING)) == [
        "pss memory of worker 2, MB: 81.5 in the second sixth, 85.5 in the last one"
    ]


@pytest.mark.parametrize("kind", ["files", "threads"])
def test_files_and_threads_that_are_not_closed_are_noticed(kind: str) -> None:
    samples = [
        replace(sample, processes=[replace(sample.processes[0], **{kind: 20 + number})])
        for number, sample in enumerate(run_of(STEADY))
    ]
    assert [sentence.partition(":")[0] for sentence in growth(samples)] == [kind]


def test_a_wrong_response_and_a_process_that_ended_are_reported() -> None:
    samples = run_of(STEADY)
    assert faults(samples) == []
    wrong = replace(samples[3], wrong=Counter({"refresh 500": 2}))
    ended = replace(samples[4], processes=samples[4].processes[:2])
    assert faults([*samples[:3], wrong, ended]) == [
        "2 times: refresh 500",
        "a process ended or was added",
    ]


def test_the_page_gets_the_table_and_names_the_chart(tmp_path: Path) -> None:
    page = tmp_path / "performance-method.md"
    page.write_text(METHOD.read_text())
    write_block(page, report(run_of(STEADY), rate=90), command=COMMAND)
    text = page.read_text()
    assert "60 minutes at 90 requests a second" in text
    assert "| PSS of worker 2, MB | 80.0 | 80.0 | 80.0 | 80.0 |" in text
    assert "200: 54,000, 503: 120" in text
    assert f"]({CHART_FILE})" in text


def test_the_chart_shows_each_process_and_the_latency_by_minutes() -> None:
    memory, latency = chart(run_of(ONE_PEAK)).panels
    lines = {line.name: line for line in (*memory.lines, *latency.lines)}
    assert list(lines) == ["the first process", "worker 1", "worker 2", "p50", "p99"]
    assert all(line.x == list(range(1, SAMPLES + 1)) for line in lines.values())
    assert lines["worker 2"].y == ONE_PEAK
    assert lines["p99"].y == [20] * SAMPLES
    assert 80 < memory.max_y < 100  # a single peak does not flatten the rest


@pytest.mark.soak
def test_some_seconds_of_it_have_the_right_responses_and_leave_nothing_behind() -> None:
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
