"""AUTHSVC_REQUIRE_BOUND_SESSIONS=true: a session opens only with a proof."""

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from tests.conftest import MakeApp
from tests.support.dpop import Prover
from tests.support.people import Person
from tests.support.responses import assert_problem

NEW = "a lamp that is not lit"


@pytest.fixture(scope="module")
def shared_strict_app(make_app: MakeApp) -> Flask:
    return make_app(require_bound_sessions=True)


@pytest.fixture
def strict(alice: Person, shared_strict_app: Flask) -> Person:
    """Alice, whose service now requires proofs."""
    alice.app = shared_strict_app
    return alice


@pytest.fixture
def prover() -> Prover:
    return Prover()


def test_a_login_without_a_proof_says_what_to_send(strict: Person, connection: Connection) -> None:
    answer = strict.log_in()
    assert_problem(answer, 400, "invalid_request")
    assert "send a proof in the header DPoP (RFC 9449)" in answer.json["detail"]
    assert "createAuth({ bind: true })" in answer.json["detail"]
    assert connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar() == 0


def test_logins_without_a_proof_lock_no_account(strict: Person, prover: Prover) -> None:
    right, strict.password = strict.password, "not the password of Alice"
    assert {strict.log_in().status_code for _ in range(12)} == {400}
    strict.password = right
    assert strict.log_in(DPoP=prover.proof("/auth/login")).status_code == 200


def test_a_password_change_needs_a_proof_too(strict: Person, prover: Prover) -> None:
    strict.log_in(DPoP=prover.proof("/auth/login"))
    body = {"current_password": strict.password, "new_password": NEW}
    path = "/api/me/password"
    assert_problem(strict.call("PUT", path, json=body), 400, "invalid_request")
    proof = {"DPoP": prover.proof(path, method="PUT")}
    assert strict.call("PUT", path, json=body, headers=proof).status_code == 200
    assert strict.refresh(DPoP=prover.proof("/auth/refresh")).status_code == 200
    assert_problem(strict.refresh(), 401, "dpop_proof_missing")


def test_a_session_from_before_goes_on_until_it_ends(
    alice: Person, shared_strict_app: Flask
) -> None:
    alice.logged_in()
    alice.app = shared_strict_app
    assert alice.refresh().status_code == 200
    assert alice.log_out().status_code == 204


def test_registering_needs_no_proof(strict: Person) -> None:
    Person(strict.app, "carol@example.com", NEW).register()


@pytest.mark.parametrize("is_required", [True, False])
def test_the_description_says_where_a_proof_is_required(
    app: Flask, shared_strict_app: Flask, is_required: bool
) -> None:
    described = (shared_strict_app if is_required else app).test_client().get("/openapi.json").json
    required = {
        f"{method} {path}": parameter["required"]
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "DPoP"
    }
    assert required == {
        "post /auth/login": is_required,
        "post /auth/passkey": is_required,
        "post /auth/reauthenticate": False,
        "post /auth/refresh": False,
        "put /api/me/password": is_required,
    }
