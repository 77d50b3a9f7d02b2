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


def test_live_sessions_are_listed_newest_first(alice: Person, bob: Person) -> None:
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
        "bound": None,
    }
    assert (oldest["id"], oldest["user_agent"]) == (sid(phone), "a phone")
    assert oldest["current"] is False


def test_revoked_and_idle_sessions_are_not_listed(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in()
        clock.shift(timedelta(days=2))
        alice.on_another_device().logged_in().log_out()
        alice.logged_in()
        assert len(shown(alice)) == 2
        clock.shift(timedelta(days=1, minutes=1))  # the first has been idle for three days
        alice.refresh()
        assert [session["id"] for session in shown(alice)] == [sid(alice)]


def test_another_session_can_be_revoked(alice: Person, connection: Connection) -> None:
    phone = alice.on_another_device().logged_in()
    answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(phone)}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert_problem(phone.refresh(), 401, "refresh_token_revoked")
    assert alice.refresh().status_code == 200
    again = alice.call("DELETE", f"{PATH}/{sid(phone)}")
    assert_problem(again, 404, "not_found")
    assert again.json["detail"] == "There is no such live session."


def test_a_session_of_another_account_cannot_be_revoked(alice: Person, bob: Person) -> None:
    bob.logged_in()
    answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(bob)}")
    assert_problem(answer, 404, "not_found")
    assert bob.refresh().status_code == 200


@pytest.mark.parametrize("which", ["00000000-0000-7000-8000-000000000000", "nonsense", "1"])
def test_an_unknown_session_is_404(alice: Person, which: str) -> None:
    assert_problem(alice.logged_in().call("DELETE", f"{PATH}/{which}"), 404, "not_found")


def test_an_idle_session_cannot_be_revoked(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device().logged_in()
        clock.shift(timedelta(days=3))
        answer = alice.logged_in().call("DELETE", f"{PATH}/{sid(phone)}")
    assert_problem(answer, 404, "not_found")


def test_all_sessions_can_be_revoked_at_once(
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


def test_an_expired_session_is_not_listed(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device().logged_in()
        for _ in range(6):
            clock.shift(timedelta(days=1))
            assert phone.refresh().status_code == 200
        clock.shift(timedelta(days=1))
        alice.logged_in()
        assert [session["id"] for session in shown(alice)] == [sid(alice)]


def test_revoking_all_leaves_sessions_revoked_before_unchanged(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in().log_out()
        alice.logged_in()
        clock.shift(timedelta(minutes=1))
        assert alice.call("DELETE", PATH).status_code == 204
    assert [row.revoked_at for row in sessions(connection)] == [NOON, NOON + timedelta(minutes=1)]
