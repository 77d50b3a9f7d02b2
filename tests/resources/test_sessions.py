"""/api/me/sessions."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Connection

from tests.support.people import Person
from tests.support.responses import COOKIE_CLEARED, assert_problem, claims, live_sessions, sessions

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
PATH = "/api/me/sessions"


def sid(person: Person) -> str:
    return str(claims(person.access_token)["sid"])


def shown(person: Person) -> list[dict[str, object]]:
    return person.call("GET", PATH).json["sessions"]


def test_a_person_is_shown_their_live_sessions_newest_first(alice: Person, bob: Person) -> None:
    bob.logged_in()
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device()
        phone.log_in(**{"User-Agent": "a phone"})
        clock.shift(timedelta(minutes=1))
        alice.log_in(**{"User-Agent": ""})
        newest, oldest = shown(alice)
    assert newest == {
        "id": sid(alice),
        "created_at": "2026-11-24T12:01:00Z",
        "expires_at": "2026-12-01T12:01:00Z",
        "last_used_at": "2026-11-24T12:01:00Z",
        "user_agent": None,
        "ip_address": "127.0.0.1",
        "current": True,
    }
    assert (oldest["id"], oldest["user_agent"]) == (sid(phone), "a phone")
    assert oldest["current"] is False


def test_sessions_that_are_over_are_not_shown(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in()
        clock.shift(timedelta(days=2))
        alice.on_another_device().logged_in().log_out()
        alice.logged_in()
        assert len(shown(alice)) == 2
        clock.shift(timedelta(days=1, minutes=1))  # the first has now been idle for three days
        alice.refresh()
        assert [session["id"] for session in shown(alice)] == [sid(alice)]


def test_another_session_can_be_ended(alice: Person, connection: Connection) -> None:
    phone = alice.on_another_device().logged_in()
    answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(phone)}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert_problem(phone.refresh(), 401, "refresh_token_revoked")
    assert alice.refresh().status_code == 200
    again = alice.call("DELETE", f"{PATH}/{sid(phone)}")
    assert_problem(again, 404, "not_found")
    assert again.json["detail"] == "There is no such live session."


def test_nobody_ends_the_session_of_another(alice: Person, bob: Person) -> None:
    bob.logged_in()
    answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(bob)}")
    assert_problem(answer, 404, "not_found")
    assert bob.refresh().status_code == 200


@pytest.mark.parametrize("which", ["00000000-0000-7000-8000-000000000000", "nonsense", "1"])
def test_a_session_that_is_not_there_is_404(alice: Person, which: str) -> None:
    assert_problem(alice.logged_in().call("DELETE", f"{PATH}/{which}"), 404, "not_found")


def test_a_session_that_has_run_out_cannot_be_ended(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device().logged_in()
        clock.shift(timedelta(days=3))
        answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(phone)}")
    assert_problem(answer, 404, "not_found")


def test_all_sessions_can_be_ended_at_once(
    alice: Person, bob: Person, connection: Connection
) -> None:
    bob.logged_in()
    devices = [alice.on_another_device().logged_in() for _ in range(2)]
    answer = alice.logged_in().call("DELETE", PATH)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers.getlist("Set-Cookie") == [COOKIE_CLEARED]
    assert live_sessions(connection) == 1
    for device in devices:
        assert_problem(device.refresh(), 401, "refresh_token_revoked")
    assert bob.refresh().status_code == 200


def test_a_session_in_use_to_its_last_day_is_not_shown_after_it(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device().logged_in()
        for _ in range(6):
            clock.shift(timedelta(days=1))
            assert phone.refresh().status_code == 200
        clock.shift(timedelta(days=1))
        alice.logged_in()
        assert [session["id"] for session in shown(alice)] == [sid(alice)]


def test_ending_all_moves_the_time_of_none_that_was_ended_before(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in().log_out()
        alice.logged_in()
        clock.shift(timedelta(minutes=1))
        assert alice.call("DELETE", PATH).status_code == 204
    assert [row.revoked_at for row in sessions(connection)] == [NOON, NOON + timedelta(minutes=1)]
