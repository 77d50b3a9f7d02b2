"""A revoked access token stays refused when clocks are set back or differ (C1; issue 14, 20)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from authsvc.database import writing
from authsvc.sessions import recently_revoked
from authsvc.sessions.purge import purge
from authsvc.tokens.times import LEEWAY
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, claims
from tests.support.running_service import new_database

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OFFSETS = [-600, -599, -301, -61, -59, -11, -10, -2, 0, 1, 10]
"""Seconds by which the clock of the logout differs from the clock of the login."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def file(tmp_path: Path) -> Path:
    new_database(tmp_path)
    return tmp_path / "authsvc.db"


@pytest.fixture
def worker(make_app: MakeApp, file: Path) -> Flask:
    return make_app(database_url=f"sqlite:///{file}")


@pytest.fixture
def carol(worker: Flask, clock: time_machine.Traveller) -> Person:
    return Person(worker, "carol@example.com", "a lamp that is not lit").register().logged_in()


def status(person: Person) -> int:
    return person.call("GET", "/auth/verify", headers=bearer(person)).status_code


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}"}


def answered(person: Person) -> int:
    """Return the status, once the query of a busy machine is not the reason for a 503."""
    return next(code for _ in range(20) if (code := status(person)) != 503)


def times_until_expiry(begin: datetime, token: str) -> list[datetime]:
    """Times from `begin` until the token is refused as expired, more of them near its end."""
    expires_at = datetime.fromtimestamp(int(claims(token)["exp"]), UTC)
    last = expires_at + timedelta(seconds=LEEWAY + 1)
    times = [begin + n * timedelta(seconds=47) for n in range((last - begin) // SECOND // 47 + 1)]
    return [*times, *(expires_at + n * SECOND for n in range(-5, LEEWAY + 2))]


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_revoked_token_stays_refused_until_it_expires_whatever_the_clocks_say(
    carol: Person,
    clock: time_machine.Traveller,
    make_app: MakeApp,
    file: Path,
    offset: int,
) -> None:
    """By the worker that revoked it, by another one, and by one that has just started."""
    other, new = carol.on_same_device(), carol.on_same_device()
    other.app = make_app(database_url=f"sqlite:///{file}")
    tab = carol.on_same_device()
    assert status(tab) < 300 > status(other)  # the claims are cached from now on
    revoked_at = NOON + timedelta(seconds=offset)
    clock.move_to(revoked_at)
    assert carol.log_out().status_code == 204
    for number, time in enumerate(times_until_expiry(revoked_at + SECOND, tab.access_token)):
        clock.move_to(time)
        assert answered(tab) == answered(other) == 401
        if number % 8 == 0:
            new.app = make_app(database_url=f"sqlite:///{file}")
            assert answered(new) == 401


def test_a_worker_that_was_idle_while_the_clock_was_set_back_sees_the_revocation(
    carol: Person, clock: time_machine.Traveller, make_app: MakeApp, file: Path
) -> None:
    idle = carol.on_same_device()
    idle.app = make_app(database_url=f"sqlite:///{file}")
    assert status(idle) < 300
    clock.shift(timedelta(minutes=-10))
    carol.log_out()
    clock.move_to(NOON + timedelta(seconds=20))  # later than its last query
    assert_problem(
        idle.call("GET", "/auth/verify", headers=bearer(idle)), 401, "access_token_revoked"
    )


def test_a_worker_that_was_idle_until_the_clock_caught_up_sees_the_revocation(
    carol: Person,
    clock: time_machine.Traveller,
    make_app: MakeApp,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle = carol.on_same_device()
    idle.app = make_app(database_url=f"sqlite:///{file}")
    assert status(idle) < 300
    clock.shift(timedelta(minutes=-10))
    carol.log_out()
    clock.move_to(NOON + 2 * SECOND)  # the clock looks as if two seconds have passed
    began = recently_revoked.monotonic()
    monkeypatch.setattr(recently_revoked, "monotonic", lambda: began + 602)
    assert status(idle) == 401


def test_a_clock_that_jumps_ahead_and_back_does_not_make_a_revoked_token_valid(
    carol: Person, clock: time_machine.Traveller
) -> None:
    tab = carol.on_same_device()
    carol.log_out()
    clock.shift(timedelta(days=1))
    other = carol.on_another_device().logged_in()
    assert status(other) < 300  # the list no longer has the session
    clock.move_to(NOON + 5 * SECOND)
    assert status(tab) == 401


def test_the_purge_keeps_a_revoked_session_until_its_tokens_are_expired_on_every_clock(
    make_app: MakeApp, file: Path, clock: time_machine.Traveller
) -> None:
    """The purge runs by a clock that is ten minutes ahead of the one that verifies."""
    app = make_app(database_url=f"sqlite:///{file}", refresh_token_ttl=900)
    carol = Person(app, "carol@example.com", "a lamp that is not lit").register().logged_in()
    clock.shift(timedelta(seconds=600))
    carol.refresh()
    tab = carol.on_same_device()
    carol.log_out()
    for time in times_until_expiry(NOON + timedelta(seconds=601), tab.access_token):
        clock.move_to(time + timedelta(minutes=10))
        with app.app_context():
            assert list(purge()) == []
        clock.move_to(time)
        tab.app = make_app(database_url=f"sqlite:///{file}", refresh_token_ttl=900)
        assert status(tab) == 401
    clock.shift(timedelta(hours=2))
    with app.app_context():
        assert list(purge()) == [1]
        with writing() as connection:
            assert connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar() == 0
