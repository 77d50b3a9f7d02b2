"""Bound sessions over an upgrade from the version before them, and over `db copy`."""

from pathlib import Path

import pytest
from flask import Flask

from authsvc.database import schema
from tests.conftest import MakeApp, MakeDatabase
from tests.support.dpop import Prover
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem

BEFORE = "0004"


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A migrated database."""
    url = make_database()
    schema.upgrade(url)
    return url


def alice_of(app: Flask) -> Person:
    return Person(app, "alice@example.com", "a horse that is correct")


def test_sessions_of_the_version_before_stay_live_and_unbound(url: str, make_app: MakeApp) -> None:
    alice = alice_of(make_app(database_url=url)).register().logged_in()
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    assert alice.refresh().status_code == 200
    (session,) = alice.call("GET", "/api/me/sessions").json["sessions"]
    assert session["bound"] is None


def test_a_copied_database_keeps_the_key_of_each_session(
    url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    prover, target = Prover(), f"sqlite:///{tmp_path / 'copy.db'}"
    alice = alice_of(make_app(database_url=url)).register()
    tablet = alice.on_another_device().logged_in()
    alice.log_in(DPoP=prover.proof("/auth/login"))
    result = Operator(url).run("db", "copy", url, target)
    assert result.exit_code == 0, result.output
    alice.app = tablet.app = make_app(database_url=target)
    assert_problem(alice.refresh(), 401, "dpop_proof_missing")
    assert alice.refresh(DPoP=prover.proof("/auth/refresh")).status_code == 200
    assert tablet.refresh().status_code == 200
