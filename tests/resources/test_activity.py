"""GET /api/me/activity."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Connection, insert

from authsvc.audit.model import SecurityEvent, new_ids
from authsvc.resources.activity import MAX_EVENTS
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, users

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
PATH = "/api/me/activity"


def shown(person: Person, query: str = "") -> list[dict[str, object]]:
    return person.call("GET", f"{PATH}{query}").json["events"]


def test_activity_lists_the_accounts_own_events_newest_first(
    alice: Person, bob: Person, operator: Operator
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        bob.logged_in()
        phone = alice.on_another_device()
        phone.log_in(**{"User-Agent": "a phone"})
        clock.shift(timedelta(minutes=1))
        alice.logged_in()
        clock.shift(timedelta(minutes=1))
        operator.run("users", "grant", alice.email, "admin")
        granted, login, elsewhere, _registered = shown(alice)
    assert granted == {
        "id": granted["id"],
        "event": "roles_changed",
        "at": "2036-11-24T12:02:00Z",
        "actor": "operator",
        "ip_address": None,
        "user_agent": None,
        "detail": "+admin",
        "current": False,
    }
    assert elsewhere == {
        "id": elsewhere["id"],
        "event": "logged_in",
        "at": "2036-11-24T12:00:00Z",
        "actor": "user",
        "ip_address": "127.0.0.1",
        "user_agent": "a phone",
        "detail": None,
        "current": False,
    }
    assert (login["event"], login["current"]) == ("logged_in", True)


def test_the_owner_sees_refused_logins_of_others(alice: Person) -> None:
    stranger = alice.on_another_device()
    stranger.password = "not the password of Alice"
    stranger.log_in(**{"User-Agent": "a stranger"})
    alice.logged_in()
    refusal = shown(alice)[1]
    assert (refusal["event"], refusal["detail"]) == ("login_refused", "wrong_password")
    assert refusal["user_agent"] == "a stranger"


def test_a_page_has_a_hundred_events_and_before_gets_the_next_page(
    alice: Person, bob: Person, connection: Connection
) -> None:
    bob.logged_in()
    alice.logged_in()
    hers, his = (user.id for user in users(connection))
    for user_id, number in ((hers, MAX_EVENTS + 50), (his, 7)):
        same = {"at": NOON, "event": "login_refused", "actor": "user", "user_id": user_id}
        ids = new_ids(NOON, number)
        connection.execute(insert(SecurityEvent), [{"id": id, **same} for id in ids])
    first = shown(alice)
    second = shown(alice, f"?before={first[-1]['id']}")
    assert (len(first), len(second)) == (MAX_EVENTS, 50 + 2)
    ids = [event["id"] for event in first + second]
    assert len(set(ids)) == MAX_EVENTS + 50 + 2
    assert ids == sorted(ids, reverse=True)
    assert shown(alice, f"?before={second[-1]['id']}") == []


@pytest.mark.parametrize("before", ["", "nonsense", "1", "%00", "'"])
def test_a_before_that_is_not_an_id_is_422(alice: Person, before: str) -> None:
    answer = alice.logged_in().call("GET", f"{PATH}?before={before}")
    assert_problem(answer, 422, "validation_failed")
    (fault,) = answer.json["errors"]
    assert (fault["pointer"], fault["code"]) == ("/before", "invalid_format")


def test_the_id_of_another_accounts_event_shows_none_of_its_events(
    alice: Person, bob: Person
) -> None:
    alice.logged_in()
    his = shown(bob.logged_in())[0]["id"]
    assert {event["event"] for event in shown(alice, f"?before={his}")} <= {
        "registered",
        "logged_in",
    }
    assert len(shown(alice, f"?before={his}")) == 2
