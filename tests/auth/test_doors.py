"""No way to another password or address leads around the second factor of an account (V1, E4)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from tests.support import address_change
from tests.support.authenticator_app import log_in_with, set_up
from tests.support.mailbox import Mailbox
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import NEW, link_of, mailed_token, reset
from tests.support.responses import assert_problem


@dataclass
class House:
    """An account with a second factor, and all who may change it.

    Args:
        alice: the owner, logged in with the second factor.
        mailbox: her mails.
        operator: runs commands.
        folder: for a file to import.
    """

    alice: Person
    mailbox: Mailbox
    operator: Operator
    folder: Path

    def run(self, *words: str, typed: str = "") -> None:
        done = self.operator.run(*words, typed=typed)
        assert done.exit_code == 0, done.output


@pytest.fixture
def house(
    mail_app: Flask,
    mailbox: Mailbox,
    mail_operator: Operator,
    connection: Connection,
    tmp_path: Path,
) -> House:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register().logged_in()
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))
    set_up(alice)
    mailbox.deliver()
    return House(alice, mailbox, mail_operator, tmp_path)


def reset_by_mail(house: House) -> None:
    assert reset(house.alice, mailed_token(house.alice, house.mailbox)).status_code == 204
    house.alice.password = NEW


def reset_by_a_printed_link(house: House) -> None:
    house.run("users", "reset", house.alice.email, "--print")
    assert reset(house.alice, link_of(house.alice, "reset")).status_code == 204
    house.alice.password = NEW


def password_of_an_operator(house: House) -> None:
    house.run("users", "set-password", house.alice.email, typed=f"{NEW}\n")
    house.alice.password = NEW


def own_change_of_password(house: House) -> None:
    body = {"current_password": house.alice.password, "new_password": NEW}
    assert house.alice.call("PUT", "/api/me/password", json=body).status_code == 200
    house.alice.password = NEW


def own_change_of_address(house: House) -> None:
    token = address_change.mailed_token(house.alice, house.mailbox)
    assert address_change.confirm(house.alice, token).status_code == 204
    house.alice.email = address_change.NEW


def address_of_an_operator(house: House) -> None:
    house.run("users", "email", house.alice.email, address_change.NEW)
    house.alice.email = address_change.NEW


def verified_address(house: House) -> None:
    house.run("users", "verify", house.alice.email)


def link_that_verifies(house: House) -> None:
    body = {"token": link_of(house.alice, "verification"), "password": house.alice.password}
    answer = house.alice.on_another_device().call("POST", "/auth/email/verify", json=body)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (204, False)


def disabled_and_enabled(house: House) -> None:
    house.run("users", "disable", house.alice.email)
    house.run("users", "enable", house.alice.email)


def unlocked(house: House) -> None:
    house.run("users", "unlock", house.alice.email)


def ended_sessions(house: House) -> None:
    house.run("sessions", "revoke", house.alice.email)


def imported_again(house: House) -> None:
    file = house.folder / "accounts"
    hash = "$2b$04$" + "a" * 53
    file.write_text(json.dumps({"email": house.alice.email, "hash": hash}) + "\n")
    house.operator.run("users", "import", str(file))


def created_again(house: House) -> None:
    house.operator.run("users", "create", house.alice.email, typed=f"{NEW}\n")


def registered_again(house: House) -> None:
    body = {"email": house.alice.email, "password": NEW}
    house.alice.on_another_device().call("POST", "/auth/register", json=body)


DOORS = [
    reset_by_mail,
    reset_by_a_printed_link,
    password_of_an_operator,
    own_change_of_password,
    own_change_of_address,
    address_of_an_operator,
    verified_address,
    link_that_verifies,
    disabled_and_enabled,
    unlocked,
    ended_sessions,
    imported_again,
    created_again,
    registered_again,
]


@pytest.mark.every_case
@pytest.mark.parametrize("door", DOORS)
def test_the_second_factor_is_in_force_behind_every_door(
    house: House, connection: Connection, door: Callable[[House], None]
) -> None:
    door(house)
    sessions = connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar_one()
    thief = house.alice.on_another_device()
    assert_problem(thief.log_in(), 401, "second_factor_required")
    assert_problem(log_in_with(thief, code="12345"), 401, "invalid_credentials")
    after = connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar_one()
    assert after == sessions
