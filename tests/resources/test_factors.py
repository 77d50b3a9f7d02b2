"""GET /api/me/factors."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, update

from authsvc import clock as our_clock
from authsvc.factors.model import Passkey
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.authenticator_app import log_in_with, scan, set_up
from tests.support.factor_rows import insert_passkey
from tests.support.factor_secrets import LOST
from tests.support.people import Person
from tests.support.responses import assert_problem

PATH = "/api/me/factors"
NOTHING = {
    "totp": {"enabled": False, "since": None},
    "recovery_codes": {"left": 0},
    "passkeys": [],
}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def alice(app: Flask) -> Person:
    """Alice, logged in."""
    return Person(app, "alice@example.com", "a horse that is correct").register().logged_in()


def factors(person: Person) -> dict[str, object]:
    answer = person.call("GET", PATH)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def test_a_new_account_has_no_factors(alice: Person) -> None:
    assert factors(alice) == NOTHING


def test_an_app_counts_from_its_confirmation(alice: Person, clock: time_machine.Traveller) -> None:
    scan(alice)
    assert factors(alice) == NOTHING
    clock.shift(90)
    set_up(alice)
    clock.shift(90)
    assert factors(alice) == NOTHING | {
        "totp": {"enabled": True, "since": "2026-11-24T12:01:30Z"},
        "recovery_codes": {"left": 10},
    }


def test_the_number_of_codes_that_are_left_goes_down_with_each_use(alice: Person) -> None:
    _, codes = set_up(alice)
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        assert log_in_with(alice.on_another_device(), recovery_code=code).status_code == 200
        assert factors(alice)["recovery_codes"] == {"left": left}


def test_passkeys_are_listed_oldest_first_without_their_keys(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    laptop = insert_passkey(connection, alice, "a laptop")
    clock.shift(60)
    phone = insert_passkey(connection, alice, "a phone")
    used = update(Passkey).where(Passkey.id == phone)
    connection.execute(used.values(last_used_at=our_clock.now(), synced=False))
    assert factors(alice)["passkeys"] == [
        {
            "id": str(laptop),
            "name": "a laptop",
            "created_at": "2026-11-24T12:00:00Z",
            "last_used_at": None,
            "synced": True,
        },
        {
            "id": str(phone),
            "name": "a phone",
            "created_at": "2026-11-24T12:01:00Z",
            "last_used_at": "2026-11-24T12:01:00Z",
            "synced": False,
        },
    ]


def test_nothing_secret_is_listed(alice: Person) -> None:
    app, codes = set_up(alice)
    body = alice.call("GET", PATH).text
    assert not [secret for secret in (app.parameters["secret"], *codes) if secret in body]


def test_the_factors_of_another_account_are_not_listed(
    alice: Person, bob: Person, connection: Connection
) -> None:
    set_up(alice)
    insert_passkey(connection, alice)
    assert factors(bob.logged_in()) == NOTHING


def test_any_session_of_the_account_lists_them_however_old(
    alice: Person, clock: time_machine.Traveller
) -> None:
    """A page shows them before it asks the person to authenticate again."""
    old = alice.on_another_device().logged_in()
    set_up(alice)
    clock.shift(3600)
    assert old.refresh().status_code == 200
    assert factors(old)["recovery_codes"] == {"left": 10}


@pytest.mark.parametrize("secret", [{"factor_secret": None}, LOST])
def test_an_app_is_listed_also_if_its_secret_cannot_be_decrypted(
    make_app: MakeApp, alice: Person, secret: dict[str, str | None]
) -> None:
    """It is still in force: without a code, the password alone logs in to nothing."""
    set_up(alice)
    alice.app = make_app(**secret)
    totp = alice.call("GET", PATH).json["totp"]
    assert totp == {"enabled": True, "since": "2026-11-24T12:00:00Z"}
    assert_problem(alice.on_another_device().log_in(), 401, "second_factor_required")


def test_the_list_needs_an_access_token_and_is_a_get_alone(alice: Person) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert alice.call(method, PATH).status_code == 405
    alice.access_token = ""
    assert_problem(alice.call("GET", PATH), 401, "access_token_missing")


@pytest.mark.once
def test_the_answer_is_as_described(app: Flask, alice: Person, connection: Connection) -> None:
    description = Description(app)
    description.assert_describes(alice.call("GET", PATH))
    set_up(alice)
    insert_passkey(connection, alice)
    description.assert_describes(alice.call("GET", PATH))
