"""What a network whose last login failed sees while none of the places is for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.users import hashing
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.conftest import MakeApp, empty_tables
from tests.ratelimit.cases import HOME, attempt
from tests.support.people import Person
from tests.support.recovery import NEW, link_of
from tests.support.responses import assert_problem

ELSEWHERE = "198.51.100.7"
QUARTER = timedelta(minutes=15)


@pytest.fixture
def make_full_app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApp]:
    """A function that makes an app without a place for networks whose last login failed."""
    monkeypatch.setattr(hashing, "MAX_AFTER_FAILURE", 0)
    made = []

    def make(**settings: object) -> Flask:
        made.append(app := make_app(**settings))
        registry.add(app, Passwords(15, Argon2id(time_cost=1, memory_cost=8)))
        return app

    yield make
    empty_tables(made[0])


@pytest.fixture
def full_app(make_full_app: MakeApp) -> Flask:
    return make_full_app()


@pytest.fixture
def carol(full_app: Flask) -> Person:
    return Person(full_app, "carol@example.com", "an umbrella in the sun").register().logged_in()


def log_in(carol: Person, **kwargs: object) -> int:
    person = carol.on_another_device()
    answer = person.call("POST", "/auth/login", json=carol.credentials, **kwargs)
    return answer.status_code


def register(carol: Person, **kwargs: object) -> int:
    body = {"email": "dora@example.com", "password": NEW}
    return carol.call("POST", "/auth/register", json=body, **kwargs).status_code


def reauthenticate(carol: Person, **kwargs: object) -> int:
    body = {"password": carol.password}
    return carol.call("POST", "/auth/reauthenticate", json=body, **kwargs).status_code


def change_password(carol: Person, **kwargs: object) -> int:
    body = {"current_password": carol.password, "new_password": NEW}
    return carol.call("PUT", "/api/me/password", json=body, **kwargs).status_code


def delete_account(carol: Person, **kwargs: object) -> int:
    body = {"password": carol.password}
    return carol.call("DELETE", "/api/me", json=body, **kwargs).status_code


def verify_address(carol: Person, **kwargs: object) -> int:
    body = {"token": link_of(carol, "verification"), "password": carol.password}
    carol.refresh_token = ""
    return carol.call("POST", "/auth/email/verify", json=body, **kwargs).status_code


def reset_password(carol: Person, **kwargs: object) -> int:
    body = {"token": link_of(carol, "reset"), "new_password": NEW}
    return carol.call("POST", "/auth/password/reset", json=body, **kwargs).status_code


Send = Callable[..., int]


@pytest.mark.parametrize("send", [log_in, register])
def test_without_room_a_network_whose_login_failed_is_refused_and_others_are_served(
    carol: Person, full_app: Flask, send: Send
) -> None:
    assert attempt(full_app, "nobody@example.com", address=HOME).status_code == 401
    assert send(carol, environ_base={"REMOTE_ADDR": HOME}) == 503
    assert send(carol, environ_base={"REMOTE_ADDR": ELSEWHERE}) < 300


@pytest.mark.parametrize("send", [reauthenticate, change_password, delete_account])
def test_a_session_proves_who_asks_and_is_served_from_any_network(
    carol: Person, full_app: Flask, send: Send
) -> None:
    assert attempt(full_app, "nobody@example.com", address=HOME).status_code == 401
    assert send(carol, environ_base={"REMOTE_ADDR": HOME}) < 300


def test_an_honest_person_beside_a_flood_of_the_same_network_is_asked_to_wait(
    carol: Person, full_app: Flask
) -> None:
    """With the right password too: nothing tells them apart until it was verified."""
    attempt(full_app, "nobody@example.com")
    refused = attempt(full_app, carol.email, carol.password)
    assert_problem(refused, 503, "service_unavailable")
    assert refused.headers["Retry-After"] == "2"
    with time_machine.travel(QUARTER):
        assert attempt(full_app, carol.email, carol.password).status_code == 200


def test_while_there_is_room_a_network_whose_login_failed_is_served_and_then_forgotten(
    app: Flask, alice: Person
) -> None:
    assert attempt(app, "nobody@example.com").status_code == 401
    assert attempt(app, alice.email, "not the password of Alice").status_code == 401
    assert attempt(app, alice.email, alice.password).status_code == 200
    with app.app_context():
        assert not registry.get(FailedNetworks).contains(HOME)


def test_the_response_does_not_depend_on_whether_the_account_exists(
    carol: Person, full_app: Flask
) -> None:
    for email, address in ((carol.email, HOME), ("nobody@example.com", ELSEWHERE)):
        statuses = [attempt(full_app, email, address=address).status_code for _ in range(3)]
        assert statuses == [401, 503, 503]


@pytest.fixture
def full_mail_app(make_full_app: MakeApp, mail_settings: dict[str, str]) -> Flask:
    return make_full_app(**mail_settings)


def test_where_addresses_must_be_verified_a_registration_is_refused_alike(
    make_full_app: MakeApp, mail_settings: dict[str, str]
) -> None:
    app = make_full_app(**mail_settings, email_verification="required")
    assert attempt(app, "nobody@example.com").status_code == 401
    dora = Person(app, "dora@example.com", NEW)
    assert register(dora, environ_base={"REMOTE_ADDR": HOME}) == 503
    assert register(dora, environ_base={"REMOTE_ADDR": ELSEWHERE}) == 202


def test_a_mailed_link_resets_the_password_from_any_network_and_verifies_only_where_there_is_room(
    full_mail_app: Flask,
) -> None:
    dora = Person(full_mail_app, "dora@example.com", "an umbrella in the sun").register()
    assert attempt(full_mail_app, "nobody@example.com").status_code == 401
    home = {"REMOTE_ADDR": HOME}
    assert verify_address(dora, environ_base=home) == 503
    assert verify_address(dora, environ_base={"REMOTE_ADDR": ELSEWHERE}) == 204
    assert reset_password(dora, environ_base=home) == 204


def test_a_wrong_password_beside_a_link_counts_as_a_failed_login(full_mail_app: Flask) -> None:
    dora = Person(full_mail_app, "dora@example.com", "an umbrella in the sun").register()
    guess = Person(full_mail_app, dora.email, "not the password of Dora")
    assert verify_address(guess, environ_base={"REMOTE_ADDR": HOME}) == 401
    assert attempt(full_mail_app, dora.email, dora.password).status_code == 503
