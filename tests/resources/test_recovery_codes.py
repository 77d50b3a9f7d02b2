"""POST /api/me/recovery-codes."""

import hashlib
import re
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.authenticator_app import log_in_with, scan, set_up
from tests.support.factor_rows import insert_passkey, recovery_code_rows
from tests.support.mailbox import Mailbox, text_of
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events

PATH = "/api/me/recovery-codes"
CODE = re.compile(r"[A-Z2-7]{5}(-[A-Z2-7]{5}){4}")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def alice(app: Flask) -> Person:
    """Alice, logged in."""
    return Person(app, "alice@example.com", "a horse that is correct").register().logged_in()


def replace(person: Person) -> TestResponse:
    return person.call("POST", PATH, json={})


def left(person: Person) -> int:
    return int(person.call("GET", "/api/me/factors").json["recovery_codes"]["left"])


def works(person: Person, code: str) -> bool:
    answer = log_in_with(person.on_another_device(), recovery_code=code)
    if answer.status_code == 200:
        return True
    assert_problem(answer, 401, "invalid_credentials")
    return False


def test_there_are_ten_codes_of_125_bits_in_groups_of_five(alice: Person) -> None:
    """V5."""
    _, first = set_up(alice)
    answer = replace(alice)
    assert answer.status_code == 200
    assert set(answer.json) == {"recovery_codes"}
    second = answer.json["recovery_codes"]
    for codes in (first, second):
        assert len(codes) == len(set(codes)) == 10
        assert all(CODE.fullmatch(code) for code in codes)
    assert not set(first) & set(second)


def test_only_their_hashes_are_stored(alice: Person, connection: Connection) -> None:
    _, codes = set_up(alice)
    rows = recovery_code_rows(connection)
    hashes = [hashlib.sha256(code.replace("-", "").encode()).digest() for code in codes]
    assert [row.code_hash for row in rows] == hashes
    assert {row.used_at for row in rows} == {None}


def test_new_codes_void_the_old_ones_used_and_unused(alice: Person) -> None:
    _, old = set_up(alice)
    assert works(alice, old[0])
    new = replace(alice).json["recovery_codes"]
    assert left(alice) == 10
    assert [works(alice, code) for code in (old[0], old[1], new[0])] == [False, False, True]


def test_new_codes_are_recorded_and_mailed(
    mail_app: Flask, mailbox: Mailbox, connection: Connection
) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    body = {"token": mailbox.token("verify-email"), "password": alice.password}
    alice.call("POST", "/auth/email/verify", json=body)
    set_up(alice.logged_in())
    mailbox.deliver()
    codes = replace(alice).json["recovery_codes"]
    (replaced,) = [one for one in events(connection) if one.event == "recovery_codes_replaced"]
    assert (replaced.actor, replaced.detail) == ("user", None)
    assert str(replaced.user_id) == claims(alice.access_token)["sub"]
    mail = mailbox.only()
    assert mail["To"] == alice.email
    assert not [code for code in codes if code in text_of(mail)]


def test_a_passkey_is_a_factor_for_which_codes_can_stand_in(
    alice: Person, connection: Connection
) -> None:
    set_up(alice)
    insert_passkey(connection, alice)
    assert alice.call("DELETE", "/api/me/totp").status_code == 204
    codes = replace(alice).json["recovery_codes"]
    assert works(alice, codes[0])


@pytest.mark.parametrize("waiting", [False, True])
def test_without_a_factor_there_are_no_codes(
    alice: Person, connection: Connection, waiting: bool
) -> None:
    """A secret that was not confirmed is not a factor."""
    if waiting:
        scan(alice)
    assert_problem(replace(alice), 404, "not_found")
    assert recovery_code_rows(connection) == []
    assert alice.on_another_device().log_in().status_code == 200


def test_ten_minutes_after_the_login_it_takes_a_reauthentication(
    alice: Person, connection: Connection, clock: time_machine.Traveller
) -> None:
    """V4."""
    set_up(alice)
    rows = recovery_code_rows(connection)
    clock.shift(601)
    alice.refresh()
    assert_problem(replace(alice), 401, "reauthentication_required")
    assert recovery_code_rows(connection) == rows


def test_a_session_of_the_password_alone_gets_no_codes(
    alice: Person, connection: Connection
) -> None:
    """V4: or a thief of the password could make codes that stand in for the factor."""
    before = alice.on_another_device().logged_in()
    set_up(alice)
    rows = recovery_code_rows(connection)
    assert_problem(replace(before), 401, "reauthentication_required")
    assert recovery_code_rows(connection) == rows


def test_a_session_that_a_recovery_code_opened_gets_new_codes(alice: Person) -> None:
    """Who has used the last code must not be left without."""
    _, codes = set_up(alice)
    phone = alice.on_another_device()
    assert log_in_with(phone, recovery_code=codes[0]).status_code == 200
    assert replace(phone).status_code == 200


def test_the_codes_of_another_account_stay(alice: Person, bob: Person) -> None:
    _, his = set_up(bob.logged_in())
    set_up(alice)
    replace(alice)
    assert works(bob, his[0])
    assert (left(alice), left(bob)) == (10, 9)


@pytest.mark.once
def test_codes_exist_without_a_factor_secret(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    """They stand in for passkeys, which need none."""
    insert_passkey(connection, alice)
    alice.app = make_app(factor_secret=None)
    assert_problem(replace(alice), 401, "reauthentication_required")
    assert alice.call("GET", "/api/me/factors").status_code == 200


@pytest.mark.once
def test_the_answers_are_as_described(app: Flask, alice: Person) -> None:
    description = Description(app)
    description.assert_describes(replace(alice))
    set_up(alice)
    description.assert_describes(replace(alice))
    codes = description.codes(description.operation("POST", PATH))
    assert codes >= {"reauthentication_required", "not_found", "rate_limited"}
