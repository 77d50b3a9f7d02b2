"""Challenges of passkeys: how long they live, what they are for, and that each is used once.

What a challenge of another purpose or account is refused with: test_mutated_*.py.
"""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, func, select

from authsvc.factors.model import UsedChallenge
from tests.conftest import MakeApp
from tests.support.dpop import b64
from tests.support.passkeys import (
    add_passkey,
    creation_options,
    log_in_by_passkey,
    register,
    request_options,
    send,
)
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.signing_secrets import REFRESH_SECRET
from tests.support.software_authenticator import SoftwareAuthenticator, unb64

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NEWER = "ab12" * 32


def used(connection: Connection) -> int:
    """Return how many used challenges are stored."""
    return connection.execute(select(func.count()).select_from(UsedChallenge)).scalar_one()


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (299, 200), (300, 401), (86_400, 401)])
def test_a_challenge_for_a_login_is_good_for_five_minutes(
    alice: Person, seconds: int, status: int
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        credential = authenticator.get(request_options(alice))
        clock.shift(seconds)
        assert send(alice.on_another_device(), credential).status_code == status


@pytest.mark.parametrize(("seconds", "status"), [(0, 201), (299, 201), (300, 403)])
def test_a_challenge_for_a_new_passkey_is_good_for_five_minutes(
    alice: Person, seconds: int, status: int
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        credential = SoftwareAuthenticator().create(creation_options(alice.logged_in()))
        clock.shift(seconds)
        alice.refresh()
        assert register(alice, credential).status_code == status


def test_a_challenge_says_when_it_expires_and_cannot_be_made_to_say_otherwise(
    alice: Person,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        challenge = unb64(request_options(alice)["challenge"])
        assert int.from_bytes(challenge[16:24], "big") == int(NOON.timestamp()) + 300
        later = challenge[:16] + (int(NOON.timestamp()) + 900).to_bytes(8, "big") + challenge[24:]
        clock.shift(301)
        credential = authenticator.get({"challenge": b64(later), "rpId": "localhost"})
        assert_problem(send(alice, credential), 401, "invalid_credentials")


def test_no_two_challenges_are_alike(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False):
        assert len({request_options(alice)["challenge"] for _ in range(50)}) == 50


def test_asking_for_a_challenge_stores_nothing(alice: Person, connection: Connection) -> None:
    authenticator = add_passkey(alice.logged_in())
    for _ in range(5):
        request_options(alice)
    assert used(connection) == 1
    assert log_in_by_passkey(alice, authenticator).status_code == 200
    assert used(connection) == 2


def test_one_app_recognizes_a_challenge_of_another_app_and_that_it_was_used_there(
    make_app: MakeApp, alice: Person
) -> None:
    authenticator = add_passkey(alice.logged_in())
    credential = authenticator.get(request_options(alice))
    there = Person(make_app(), alice.email, alice.password)
    assert send(there, credential).status_code == 200
    assert_problem(send(alice.on_another_device(), credential), 401, "invalid_credentials")


def test_a_challenge_survives_a_rotation_of_the_refresh_secret(
    make_app: MakeApp, alice: Person
) -> None:
    """M2: the previous secret recognizes, and never issues."""
    authenticator = add_passkey(alice.logged_in())
    rotating = make_app(
        refresh_token_secret=NEWER, refresh_token_secret_previous=REFRESH_SECRET.hex()
    )
    rotated = make_app(refresh_token_secret=NEWER)
    old, newer = request_options(alice), request_options(on(rotating, alice))
    assert send(on(rotated, alice), authenticator.get(old)).status_code == 401
    assert send(on(rotating, alice), authenticator.get(old)).status_code == 200
    assert send(on(rotated, alice), authenticator.get(newer)).status_code == 200


def on(app: Flask, alice: Person) -> Person:
    """Return Alice on another device, who uses another app of the service."""
    return Person(app, alice.email, alice.password)


def test_a_refused_response_leaves_its_challenge_unused(
    alice: Person, connection: Connection
) -> None:
    authenticator = add_passkey(alice.logged_in())
    options = request_options(alice)
    assert send(alice, authenticator.get(options, flags=0)).status_code == 401
    assert send(alice, authenticator.get(options)).status_code == 200
    assert used(connection) == 2


def test_used_challenges_are_removed_some_time_after_they_expired(
    alice: Person, connection: Connection
) -> None:
    """They are kept ten minutes longer, in case that the clock is set back (C1)."""
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        for _ in range(6):
            log_in_by_passkey(alice, authenticator)
        assert used(connection) == 7
        clock.shift(900)
        log_in_by_passkey(alice, authenticator)
        assert used(connection) == 8
        counts = []
        clock.shift(1)
        for _ in range(5):
            log_in_by_passkey(alice, authenticator)
            counts.append(used(connection))
        assert counts == [7, 6, 5, 5, 6]


def test_a_response_is_not_accepted_again_when_the_clock_is_set_back(alice: Person) -> None:
    """C1."""
    with time_machine.travel(NOON, tick=False) as clock:
        authenticator = add_passkey(alice.logged_in())
        credential = authenticator.get(request_options(alice))
        assert send(alice, credential).status_code == 200
        clock.shift(899)
        log_in_by_passkey(alice, authenticator)
        clock.shift(-600)
        assert_problem(send(alice, credential), 401, "invalid_credentials")
