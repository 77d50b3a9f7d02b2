"""The limits of one session's refreshes, as one worker counts them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from time_machine import travel

from authsvc.problems import RateLimited
from authsvc.ratelimit.refresh_counter import RefreshCounter
from authsvc.sessions.refresh import Refreshing
from authsvc.web import registry

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_refreshes_whose_report_failed_are_reported_with_the_next() -> None:
    sid, counter = UUID(int=1), RefreshCounter(60, 60)
    assert [counter.add(sid) for _ in range(7)] == [0, 0, 0, 0, 0, 6, 0]
    counter.put_back(sid, 6)
    assert counter.add(sid) == 8


def test_a_worker_counts_ten_thousand_sessions_and_evicts_the_least_recently_used(
    app: Flask,
) -> None:
    with app.app_context():
        limits = registry.get(Refreshing).limits
        for number in range(25_000):
            limits.refresh(UUID(int=number))
        assert len(limits._refreshes._sessions) == 10_000
        newest = UUID(int=24_999)
        for _ in range(59):
            limits.refresh(newest)
        with pytest.raises(RateLimited):
            limits.refresh(newest)


def test_a_worker_evicts_sessions_that_were_not_refreshed_for_a_minute() -> None:
    counter = RefreshCounter(60, 60)
    with travel(NOON, tick=False) as clock:
        for number in range(100):
            counter.add(UUID(int=number))
        clock.shift(59)
        counter.add(UUID(int=100))
        assert len(counter._sessions) == 101
        clock.shift(1)
        counter.add(UUID(int=101))
        assert list(counter._sessions) == [UUID(int=100), UUID(int=101)]
