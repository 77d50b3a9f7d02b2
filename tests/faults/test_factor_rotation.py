"""Rotating AUTHSVC_FACTOR_SECRET logs no user out, and a lost secret opens no account."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.faults.with_factors import Resident, close, settings_of, town
from tests.support.authenticator_app import log_in_with
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.running_service import Service, new_database, serving
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.signing_secrets import FACTOR_SECRET

OLD, NEW = FACTOR_SECRET.hex(), FACTOR_SECRET[::-1].hex()


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[Resident]:
    """A person whose factors are older than the rotation."""
    people = town(new_database(tmp_path), 0, tmp_path)
    yield people.person()
    close(people.app)


@contextmanager
def restarted(alice: Resident, folder: Path, **secrets: str) -> Iterator[Service]:
    """Run the service with these factor secrets."""
    url, settings = f"sqlite:///{folder / 'authsvc.db'}", settings_of(folder) | secrets
    with serving(url, folder / "output", workers=1, **settings) as service:
        alice.visitor.port = service.port
        yield service


def test_a_rotation_of_the_factor_secret_and_its_loss(alice: Resident, tmp_path: Path) -> None:
    visitor, rotated = alice.visitor, {"factor_secret": NEW, "factor_secret_previous": OLD}
    visitor.refresh_token = alice.there.logged_in().refresh_token
    phone, passkey, (recovery_code, *_) = (
        alice.with_totp(),
        alice.with_passkey(),
        alice.with_codes(),
    )
    code, next_code = (phone.at(time.time() + seconds) for seconds in (0, 30))
    with restarted(alice, tmp_path, **rotated):
        assert visitor.refresh().status == 200
        assert visitor.call("POST", "/auth/reauthenticate", {"code": code}).status == 200
        assert visitor.log_in().code == "second_factor_required"
    with restarted(alice, tmp_path, factor_secret=NEW) as service:
        assert visitor.refresh().status == 200
        assert_fails_closed(alice, next_code)
        credential = {"credential": alice.assertion(passkey)}
        assert visitor.call("POST", "/auth/passkey", credential).status == 200
        visitor.logged_in_with(recovery_code=recovery_code)
        line = f"The TOTP secret of user {alice.id} cannot be decrypted"
        assert line in service.output.read_text()
    with restarted(alice, tmp_path, **rotated):
        assert visitor.refresh().status == 200
        assert visitor.log_in(code=next_code).status == 200


def assert_fails_closed(alice: Resident, code: str) -> None:
    """Without its key a TOTP is in force, so the password alone opens nothing; nor does a code."""
    visitor = alice.visitor
    assert visitor.log_in().code == "second_factor_required"
    assert visitor.log_in(code=code).code == "invalid_credentials"
    again = visitor.call("POST", "/auth/reauthenticate", {"code": code})
    assert again.code == "invalid_credentials"


def test_without_a_factor_secret_an_account_with_a_factor_fails_closed(
    make_app: MakeApp, app: Flask
) -> None:
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    code, (recovery_code, *_) = give_totp(alice).now(), give_recovery_codes(alice)
    alice.app = make_app(factor_secret=None)
    assert alice.refresh().status_code == 200
    assert_problem(alice.log_in(), 401, "second_factor_required")
    assert_problem(log_in_with(alice, code=code), 401, "invalid_credentials")
    assert log_in_with(alice, recovery_code=recovery_code).status_code == 200
    assert alice.call("POST", "/api/me/totp", json={}).status_code == 404
