"""An account may change its factors 20 times in an hour, since each change mails its owner."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from authsvc.ratelimit.throttle import Throttle
from authsvc.web import registry
from tests.ratelimit.cases import assert_limited
from tests.support.authenticator_app import PATH, confirm, scan, set_up
from tests.support.people import Person
from tests.support.responses import assert_problem, claims

HOUR = 3600


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        yield clock


def carol(app: Flask) -> Person:
    return Person(app, "carol@example.com", "an umbrella in the sun").register().logged_in()


def new_codes(person: Person) -> TestResponse:
    return person.call("POST", "/api/me/recovery-codes", json={})


def change(person: Person, times: int) -> None:
    """Change the factors that many times: setting up the app is one, and new codes are others."""
    set_up(person)
    for _ in range(times - 1):
        assert new_codes(person).status_code == 200


def test_the_twenty_first_change_in_an_hour_is_refused_whatever_it_is(limited: Flask) -> None:
    person = carol(limited)
    change(person, 20)
    assert_limited(new_codes(person), HOUR - 30, HOUR)
    assert_limited(person.call("DELETE", PATH), HOUR - 30, HOUR)
    assert_limited(confirm(person, "123456"), HOUR - 30, HOUR)
    assert person.call("GET", "/api/me/factors").json["recovery_codes"] == {"left": 10}


def test_setting_up_and_removing_the_app_count(limited: Flask) -> None:
    person = carol(limited)
    for _ in range(10):
        set_up(person)
        assert person.call("DELETE", PATH).status_code == 204
    code = scan(person).code()
    assert_limited(confirm(person, code), HOUR - 30, HOUR)


def test_a_change_that_fails_is_not_counted(limited: Flask) -> None:
    person = carol(limited)
    for _ in range(25):
        assert_problem(new_codes(person), 404, "not_found")
        assert_problem(person.call("DELETE", PATH), 404, "not_found")
        assert_problem(confirm(person, "123456"), 404, "not_found")
    change(person, 20)
    assert_limited(new_codes(person), HOUR - 30, HOUR)


def test_a_change_that_needs_a_reauthentication_is_not_counted(limited: Flask) -> None:
    person = carol(limited)
    stranger = person.on_another_device().logged_in()
    set_up(person)
    for _ in range(25):
        assert_problem(new_codes(stranger), 401, "reauthentication_required")
    for _ in range(19):
        assert new_codes(person).status_code == 200


def test_asking_for_a_secret_is_not_limited_since_it_mails_nothing(limited: Flask) -> None:
    person = carol(limited)
    for _ in range(30):
        scan(person)


def test_another_account_is_not_affected(limited: Flask) -> None:
    person = carol(limited)
    change(person, 20)
    other = Person(limited, "dan@example.com", "a raincoat in the snow").register().logged_in()
    change(other, 2)


@pytest.mark.parametrize(("seconds", "status"), [(HOUR - 1, 429), (HOUR, 200)])
def test_the_factors_can_be_changed_again_after_an_hour(
    app: Flask, clock: time_machine.Traveller, seconds: int, status: int
) -> None:
    person = carol(app)
    app_of_phone, _ = set_up(person)
    for _ in range(19):
        new_codes(person)
    clock.shift(seconds)
    login = {**person.credentials, "code": app_of_phone.code()}
    assert person.call("POST", "/auth/login", json=login).status_code == 200
    answer = new_codes(person)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_the_eleventh_wrong_code_of_a_new_secret_is_refused(limited: Flask) -> None:
    """V3: these are counted with wrong passwords within the session."""
    person = carol(limited)
    app = scan(person)
    for _ in range(10):
        assert_problem(confirm(person, app.wrong_code()), 403, "wrong_code")
    assert_limited(confirm(person, app.code()), 15 * 60 - 30, 15 * 60)
    body = {"password": person.password}
    assert_limited(person.call("DELETE", "/api/me", json=body), 15 * 60 - 30, 15 * 60)


def test_wrong_codes_of_a_new_secret_do_not_use_up_the_changes(limited: Flask) -> None:
    person = carol(limited)
    app = scan(person)
    for _ in range(9):
        confirm(person, app.wrong_code())
    assert confirm(person, app.code()).status_code == 200
    for _ in range(19):
        assert new_codes(person).status_code == 200


def test_setting_up_an_app_forgets_no_wrong_password(limited: Flask) -> None:
    """A thief of the session could set up one after the other, and go on guessing the password."""
    person = carol(limited)
    wrong = {"password": "this is the wrong one"}
    for _ in range(5):
        assert person.call("DELETE", "/api/me", json=wrong).status_code == 403
    set_up(person)
    for _ in range(5):
        assert person.call("DELETE", "/api/me", json=wrong).status_code == 403
    assert_limited(person.call("DELETE", "/api/me", json=wrong), 15 * 60 - 30, 15 * 60)


def test_the_count_is_taken_back_if_the_change_is_not_made(app: Flask) -> None:
    """Also for an error of the database, and others that are not problems."""
    person = carol(app)
    user_id = UUID(str(claims(person.access_token)["sub"]))
    with app.app_context():
        for _ in range(25):
            with (
                pytest.raises(ZeroDivisionError),
                registry.get(Throttle).factor_change(user_id),
            ):
                raise ZeroDivisionError
    change(person, 20)
