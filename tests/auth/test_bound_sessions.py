"""Sessions that are bound to a key: opened with a proof, refreshed only with one."""

import pytest
from sqlalchemy import Connection, text

from tests.support.dpop import Prover
from tests.support.people import Person
from tests.support.responses import assert_problem


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def bound(alice: Person, prover: Prover) -> Person:
    """Alice, logged in with a session that is bound to the prover's key."""
    answer = alice.log_in(DPoP=prover.proof("/auth/login"))
    assert answer.status_code == 200, answer.json
    return alice


def test_a_login_with_a_proof_binds_the_session_to_its_key(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    (key,) = connection.execute(text("SELECT key_thumbprint FROM refresh_tokens")).scalars()
    assert key == prover.thumbprint
    (session,) = bound.call("GET", "/api/me/sessions").json["sessions"]
    assert session["bound"] == "key"


def test_a_bound_session_is_refreshed_with_a_proof_and_not_by_the_cookie_alone(
    bound: Person, prover: Prover
) -> None:
    assert_problem(bound.refresh(), 401, "dpop_proof_missing")
    answer = bound.refresh(DPoP=Prover().proof("/auth/refresh"))
    assert_problem(answer, 401, "dpop_proof_invalid")
    answer = bound.refresh(DPoP=prover.proof("/auth/refresh"))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
