"""POST /auth/reauthenticate of sessions that are bound to a key, and from other origins."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from tests.support.dpop import Prover
from tests.support.hash_counts import counted_hashes
from tests.support.people import Person
from tests.support.reauthentication import PATH, by_password, events_of, reauthentications
from tests.support.responses import assert_problem

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def bound(alice: Person, prover: Prover) -> Person:
    """Alice, logged in with a session that is bound to the prover's key."""
    assert alice.log_in(DPoP=prover.proof("/auth/login")).status_code == 200
    return alice


def test_a_bound_session_needs_a_proof_of_its_key(bound: Person, prover: Prover) -> None:
    assert_problem(by_password(bound), 401, "dpop_proof_missing")
    for wrong in (Prover().proof(PATH), prover.proof("/auth/refresh"), "garbage", ""):
        assert_problem(by_password(bound, DPoP=wrong), 401, "dpop_proof_invalid")
    assert by_password(bound, DPoP=prover.proof(PATH)).status_code == 200


def test_the_proof_is_checked_before_the_password(
    bound: Person, connection: Connection, prover: Prover
) -> None:
    with counted_hashes(bound.app) as hashes:
        assert_problem(by_password(bound), 401, "dpop_proof_missing")
        stale = by_password(bound, DPoP=prover.proof(PATH, iat=0))
    assert_problem(stale, 401, "use_dpop_nonce")
    assert hashes.calls == 0
    assert events_of(connection, "refresh_refused") == [("refresh_refused", "dpop_proof_missing")]
    proof = prover.proof(PATH, iat=0, nonce=stale.headers["DPoP-Nonce"])
    assert by_password(bound, DPoP=proof).status_code == 200


def test_an_unbound_session_ignores_a_proof(alice: Person) -> None:
    assert by_password(alice.logged_in(), DPoP="garbage").status_code == 200


@pytest.mark.once
def test_a_request_of_another_origin_is_refused(alice: Person, connection: Connection) -> None:
    answer = by_password(alice.logged_in(), Origin="https://evil.example")
    assert_problem(answer, 403, "cross_origin_refused")
    assert reauthentications(connection) == []
