"""The list of recently revoked sessions, tested by the access tokens that a worker refuses."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, insert

from authsvc.database import our_engine, writing
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.recently_revoked import OVERLAP, SET_BACK, RecentlyRevoked
from authsvc.tokens.times import LEEWAY
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, away, counted_statements
from tests.support.running_service import new_database

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


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
    app = make_app(database_url=f"sqlite:///{file}")
    app.add_url_rule("/nothing", view_func=lambda: "")  # protected, and needs no database
    return app


@pytest.fixture
def carol(worker: Flask, clock: time_machine.Traveller) -> Person:
    return Person(worker, "carol@example.com", "a lamp that is not lit").register().logged_in()


def ask(person: Person):
    return person.call("GET", "/api/me")


def revoke(app: Flask, revoked_at: datetime) -> str:
    """Insert a session that another worker revoked at that time."""
    sid = uuid4()
    row = dict.fromkeys(["issued_at", "expires_at", "last_used_at", "revoked_at"], revoked_at)
    with app.app_context(), writing() as connection:
        connection.execute(insert(RefreshToken).values(id=sid, token_hash=b"", **row))
    return sid


def test_the_access_token_of_a_revoked_session_is_refused_within_a_second(
    carol: Person, clock: time_machine.Traveller
) -> None:
    tab = carol.on_same_device()
    assert ask(tab).status_code == 200
    carol.log_out()
    clock.shift(SECOND)
    answer = ask(tab)
    assert_problem(answer, 401, "access_token_revoked")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="authsvc", error="invalid_token", '
        'error_description="The session of this access token has ended: log in again."'
    )


def test_every_worker_refuses_a_revoked_session_and_accepts_others(
    carol: Person, clock: time_machine.Traveller, make_app: MakeApp, file: Path
) -> None:
    tab, phone = carol.on_same_device(), carol.on_another_device().logged_in()
    tab.app = phone.app = make_app(database_url=f"sqlite:///{file}")
    assert ask(tab).status_code == ask(phone).status_code == 200
    carol.log_out()
    clock.shift(SECOND)
    assert_problem(ask(tab), 401, "access_token_revoked")
    assert ask(phone).status_code == 200


def test_a_new_worker_refuses_sessions_revoked_before_it_started(
    carol: Person, clock: time_machine.Traveller, make_app: MakeApp, file: Path
) -> None:
    tab = carol.on_same_device()
    carol.log_out()
    clock.shift(timedelta(minutes=9))
    tab.app = make_app(database_url=f"sqlite:///{file}")
    assert_problem(ask(tab), 401, "access_token_revoked")


def test_a_revoked_access_token_stays_refused_until_it_expires(
    carol: Person, clock: time_machine.Traveller
) -> None:
    tab = carol.on_same_device()
    carol.log_out()
    for _ in range(60):
        clock.shift(timedelta(seconds=10))
        assert_problem(ask(tab), 401, "access_token_revoked")
    clock.shift(timedelta(seconds=10))
    assert_problem(ask(tab), 401, "access_token_expired")


def test_the_database_is_queried_once_a_second_whatever_the_number_of_threads(
    worker: Flask, carol: Person, clock: time_machine.Traveller
) -> None:
    def call(_: int) -> int:
        return carol.on_same_device().call("GET", "/nothing", headers=bearer).status_code

    bearer = {"Authorization": f"Bearer {carol.access_token}"}

    def answer_slowly(*_: object) -> None:  # so that the other requests arrive during the query
        time.sleep(0.05)

    with worker.app_context():
        event.listen(our_engine(), "before_cursor_execute", answer_slowly)
    with counted_statements(worker) as statements, ThreadPoolExecutor(8) as threads:
        for seconds in range(1, 4):
            clock.shift(SECOND)
            assert set(threads.map(call, range(16))) == {200}
            assert statements == ["SELECT"] * seconds
        clock.shift(SECOND - timedelta(milliseconds=1))
        assert call(0) == 200
        assert len(statements) == 3


def test_a_query_that_is_not_answered_holds_up_requests_for_a_second_in_all(
    worker: Flask, carol: Person, clock: time_machine.Traveller
) -> None:
    bearer = {"Authorization": f"Bearer {carol.access_token}"}
    assert carol.call("GET", "/nothing", headers=bearer).status_code == 200
    answered = Event()
    with worker.app_context():
        event.listen(our_engine(), "before_cursor_execute", lambda *_: answered.wait(10))
    clock.shift(SECOND)
    began = time.monotonic()
    for _ in range(5):
        assert carol.call("GET", "/nothing", headers=bearer).status_code == 200
    waited = time.monotonic() - began
    answered.set()
    assert 0.9 < waited < 2
    assert carol.call("GET", "/nothing", headers=bearer).status_code == 200


def test_a_revocation_that_became_visible_late_is_still_seen(
    carol: Person, clock: time_machine.Traveller, worker: Flask
) -> None:
    revoked = RecentlyRevoked(600, 30)
    with worker.app_context():
        assert not revoked.contains(uuid4())
        late = revoke(worker, NOON - timedelta(seconds=59))
        too_late = revoke(worker, NOON - timedelta(seconds=60))
        clock.shift(SECOND)
        assert revoked.contains(late)
        assert not revoked.contains(too_late)


def test_after_a_long_silence_the_whole_period_is_queried(
    worker: Flask, clock: time_machine.Traveller
) -> None:
    revoked = RecentlyRevoked(600, 30)
    with worker.app_context():
        assert not revoked.contains(uuid4())
        clock.shift(timedelta(hours=1))
        assert revoked.contains(revoke(worker, NOON + timedelta(minutes=40)))


def test_a_clock_set_back_does_not_make_a_revoked_session_valid(
    carol: Person, clock: time_machine.Traveller, worker: Flask
) -> None:
    clock.shift(timedelta(minutes=1))
    tab = carol.on_same_device()
    carol.log_out()
    clock.shift(SECOND)
    assert_problem(ask(tab), 401, "access_token_revoked")
    clock.shift(timedelta(seconds=-61))
    assert_problem(ask(tab), 401, "access_token_revoked")


def test_a_revocation_after_the_clock_was_set_back_is_seen(
    carol: Person, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=5))
    tab = carol.on_same_device()
    assert ask(tab).status_code == 200
    clock.shift(timedelta(minutes=-5))
    carol.log_out()
    clock.shift(SECOND)
    assert_problem(ask(tab), 401, "access_token_revoked")


def test_a_session_leaves_the_list_when_all_its_tokens_are_refused_as_expired(
    worker: Flask, clock: time_machine.Traveller
) -> None:
    revoked = RecentlyRevoked(600, 30)
    kept = timedelta(seconds=600 + 2 * LEEWAY) + SET_BACK + OVERLAP
    with worker.app_context():
        old = revoke(worker, NOON)
        assert revoked.contains(old)
        clock.shift(kept - SECOND)
        young = revoke(worker, NOON + kept - SECOND)
        assert revoked.contains(old)
        clock.shift(SECOND)
        assert not revoked.contains(old)
        assert revoked.contains(young)


def test_without_the_database_the_list_is_used_for_thirty_seconds_and_no_longer(
    carol: Person, worker: Flask, clock: time_machine.Traveller, file: Path
) -> None:
    bearer = {"Authorization": f"Bearer {carol.access_token}"}
    gone = carol.on_another_device().logged_in()
    old = {"Authorization": f"Bearer {gone.access_token}"}
    gone.log_out()
    assert carol.call("GET", "/nothing", headers=bearer).status_code == 200
    with away(worker, file):
        clock.shift(timedelta(seconds=30))
        assert carol.call("GET", "/nothing", headers=bearer).status_code == 200
        assert_problem(carol.call("GET", "/nothing", headers=old), 401, "access_token_revoked")
        clock.shift(SECOND)
        answer = carol.call("GET", "/nothing", headers=bearer)
        assert_problem(answer, 503, "service_unavailable")
        assert answer.headers["Retry-After"] == "2"
        assert "Set-Cookie" not in answer.headers
    clock.shift(SECOND)
    assert carol.call("GET", "/nothing", headers=bearer).status_code == 200


def test_a_worker_that_never_reached_the_database_refuses_every_token(
    carol: Person, make_app: MakeApp, file: Path
) -> None:
    tab = carol.on_same_device()
    tab.app = make_app(database_url=f"sqlite:///{file}")
    with away(tab.app, file):
        assert_problem(ask(tab), 503, "service_unavailable")


def test_the_log_says_why_the_list_could_not_be_updated(
    carol: Person, worker: Flask, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with away(worker, file):
        ask(carol)
    (message,) = (
        line for line in caplog.messages if line.startswith("the list of revoked sessions")
    )
    assert "could not be renewed: " in message
    assert "unable to open database file" in message


def test_the_staleness_limit_is_a_setting(
    carol: Person, clock: time_machine.Traveller, make_app: MakeApp, file: Path
) -> None:
    tab = carol.on_same_device()
    tab.app = make_app(database_url=f"sqlite:///{file}", revocation_staleness_limit=5)
    assert ask(tab).status_code == 200
    with away(tab.app, file):
        clock.shift(timedelta(seconds=6))
        assert ask(tab).json["code"] == "service_unavailable"
