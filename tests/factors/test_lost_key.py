"""The factor secret is lost: what the boot notices, and who can still log in."""

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.factors.encryption import SecretBox
from authsvc.factors.lost_key import is_key_lost
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, counted_statements
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET

OTHER = ACCESS_SECRET[::-1]


@pytest.mark.parametrize("secrets", [[], [OTHER], [OTHER, OTHER[::-1]]])
def test_a_lost_key_is_noticed_once_there_is_an_authenticator_app(
    connection: Connection, alice: Person, secrets: list[bytes]
) -> None:
    assert not is_key_lost(connection, SecretBox(*secrets))
    give_totp(alice)
    assert is_key_lost(connection, SecretBox(*secrets))


@pytest.mark.parametrize("secrets", [[FACTOR_SECRET], [OTHER, FACTOR_SECRET]])
def test_a_current_or_a_previous_key_is_not_lost(
    connection: Connection, alice: Person, secrets: list[bytes]
) -> None:
    give_totp(alice)
    assert not is_key_lost(connection, SecretBox(*secrets))


def test_noticing_it_costs_one_statement(app: Flask, connection: Connection) -> None:
    with counted_statements(app) as statements:
        is_key_lost(connection, SecretBox())
    assert statements == ["SELECT"]


def test_the_newest_account_counts(connection: Connection, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        give_totp(person)
    newest = "(SELECT max(user_id) FROM totp)"
    if connection.dialect.name == "postgresql":
        newest = "(SELECT user_id FROM totp ORDER BY user_id DESC LIMIT 1)"
    connection.execute(text(f"UPDATE totp SET secret = 'garbled' WHERE user_id = {newest}"))
    assert is_key_lost(connection, SecretBox(FACTOR_SECRET))
    connection.execute(text(f"DELETE FROM totp WHERE user_id = {newest}"))
    assert not is_key_lost(connection, SecretBox(FACTOR_SECRET))


@pytest.mark.parametrize("factor_secret", [None, OTHER.hex()])
def test_with_a_lost_key_no_password_alone_logs_in_and_a_recovery_code_does(
    make_app: MakeApp, alice: Person, factor_secret: str | None
) -> None:
    authenticator, codes = give_totp(alice), give_recovery_codes(alice)
    alice.app = make_app(factor_secret=factor_secret)
    assert_problem(alice.log_in(), 401, "second_factor_required")
    body = alice.credentials | {"code": authenticator.now()}
    assert_problem(alice.call("POST", "/auth/login", json=body), 401, "invalid_credentials")
    body = alice.credentials | {"recovery_code": codes[0]}
    assert alice.call("POST", "/auth/login", json=body).status_code == 200
