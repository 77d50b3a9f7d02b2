"""Sessions that are bound to a key: opened with a proof, refreshed only with one."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, event, text
from werkzeug.test import TestResponse

from authsvc.database import our_engine
from tests.conftest import MakeApp
from tests.support.dpop import Prover
from tests.support.hash_counts import counted_hashes
from tests.support.people import Person
from tests.support.responses import assert_problem, events, live_sessions, sessions
from tests.support.running_service import ROOT
from tests.test_rotation import REFRESH_ROTATED

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NEW = "a lamp that is not lit"
UNUSABLE = ["", "x", "a.b.c", "~, ~", "~,", " ~", "~=", "x" * 8000]
"""Texts in which the tilde stands for a good proof."""


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def bound(alice: Person, prover: Prover) -> Person:
    """Alice, logged in with a session that is bound to the prover's key."""
    answer = alice.log_in(DPoP=prover.proof("/auth/login"))
    assert answer.status_code == 200, answer.json
    return alice


def change_password(person: Person, **headers: str) -> TestResponse:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body, headers=headers)


def refresh_by(person: Person, prover: Prover, **claims: object) -> TestResponse:
    return person.refresh(DPoP=prover.proof("/auth/refresh", **claims))


def keys(connection: Connection) -> list[str | None]:
    return [row.key_thumbprint for row in sessions(connection)]


def written(connection: Connection) -> list[object]:
    """Return what a login may write: sessions, events and counts."""
    counts = connection.execute(text("SELECT * FROM rate_limits ORDER BY key")).all()
    return [sessions(connection), events(connection), counts]


def assert_nonce_wanted(answer: TestResponse) -> str:
    """Assert that the response is the challenge of RFC 9449 section 8, and return the nonce."""
    assert_problem(answer, 401, "use_dpop_nonce")
    assert answer.headers.getlist("WWW-Authenticate") == ['DPoP error="use_dpop_nonce"']
    assert "Set-Cookie" not in answer.headers
    [nonce] = answer.headers.getlist("DPoP-Nonce")
    return nonce


def test_a_login_with_a_proof_binds_the_session_to_its_key(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    phone = bound.on_another_device().logged_in()
    assert keys(connection) == [prover.thumbprint, None]
    listed = phone.call("GET", "/api/me/sessions").json["sessions"]
    assert [(one["bound"], one["current"]) for one in listed] == [(None, True), ("key", False)]


def test_a_bound_session_is_refreshed_with_a_proof_and_not_by_the_cookie_alone(
    bound: Person, prover: Prover
) -> None:
    assert_problem(bound.refresh(), 401, "dpop_proof_missing")
    assert_problem(refresh_by(bound, Prover()), 401, "dpop_proof_invalid")
    answer = refresh_by(bound, prover)
    assert answer.status_code == 200
    assert answer.json["token_type"] == "Bearer"
    assert "Set-Cookie" not in answer.headers
    assert bound.call("GET", "/api/me").status_code == 200


def test_a_proof_may_be_used_again_within_its_minute(bound: Person, prover: Prover) -> None:
    again = prover.proof("/auth/refresh")
    with time_machine.travel(time.time(), tick=False) as clock:
        assert [bound.refresh(DPoP=again).status_code for _ in range(3)] == [200] * 3
        clock.shift(62)
        assert_nonce_wanted(bound.refresh(DPoP=again))


def test_a_proof_of_the_login_is_not_one_of_the_refresh(bound: Person, prover: Prover) -> None:
    for path, method in (("/auth/login", "POST"), ("/auth/refresh", "GET")):
        answer = bound.refresh(DPoP=prover.proof(path, method=method))
        assert_problem(answer, 401, "dpop_proof_invalid")


def test_a_password_change_opens_a_session_that_is_bound_to_the_proofs_key(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    other = Prover()
    proof = other.proof("/api/me/password", method="PUT")
    assert change_password(bound, DPoP=proof).status_code == 200
    assert keys(connection) == [prover.thumbprint, other.thumbprint]
    assert live_sessions(connection) == 1
    assert_problem(refresh_by(bound, prover), 401, "dpop_proof_invalid")
    assert refresh_by(bound, other).status_code == 200


@pytest.mark.once
@pytest.mark.parametrize("unusable", UNUSABLE)
def test_a_login_with_an_invalid_proof_does_nothing(
    alice: Person, prover: Prover, connection: Connection, unusable: str
) -> None:
    before = written(connection)
    with counted_hashes(alice.app) as hashes:
        answer = alice.log_in(DPoP=unusable.replace("~", prover.proof("/auth/login")))
    assert_problem(answer, 400, "invalid_request")
    assert "DPoP" in answer.json["detail"]
    assert "Set-Cookie" not in answer.headers
    assert (hashes.calls, written(connection)) == (0, before)


def test_a_login_whose_clock_is_wrong_gets_a_nonce_and_does_nothing_before(
    alice: Person, prover: Prover, connection: Connection
) -> None:
    before = written(connection)
    with counted_hashes(alice.app) as hashes:
        for _ in range(12):  # more than an account's failures
            nonce = assert_nonce_wanted(alice.log_in(DPoP=prover.proof("/auth/login", iat=0)))
    assert (hashes.calls, written(connection)) == (0, before)
    answer = alice.log_in(DPoP=prover.proof("/auth/login", iat=0, nonce=nonce))
    assert answer.status_code == 200
    assert keys(connection) == [prover.thumbprint]


def test_a_password_change_by_an_unusable_proof_does_nothing(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    assert_problem(change_password(bound, DPoP="x"), 400, "invalid_request")
    stale = prover.proof("/api/me/password", method="PUT", iat=0)
    nonce = assert_nonce_wanted(change_password(bound, DPoP=stale))
    assert live_sessions(connection) == 1
    assert refresh_by(bound, prover).status_code == 200
    fresh = prover.proof("/api/me/password", method="PUT", iat=0, nonce=nonce)
    assert change_password(bound, DPoP=fresh).status_code == 200


@pytest.mark.parametrize("off", [7200, -7200, 315_000_000, -315_000_000])
def test_a_clock_that_is_wrong_by_hours_or_years_locks_no_client_out(
    alice: Person, prover: Prover, off: int
) -> None:
    """The client learns the nonce once, and uses it until the service sends another."""
    with time_machine.travel(NOON, tick=False) as clock:
        iat = int(NOON.timestamp()) + off
        nonce = assert_nonce_wanted(alice.log_in(DPoP=prover.proof("/auth/login", iat=iat)))
        proof = prover.proof("/auth/login", iat=iat, nonce=nonce)
        assert alice.log_in(DPoP=proof).status_code == 200
        assert refresh_by(alice, prover, iat=iat, nonce=nonce).status_code == 200
        clock.shift(600)
        newer = assert_nonce_wanted(refresh_by(alice, prover, iat=iat, nonce=nonce))
        assert newer != nonce
        assert refresh_by(alice, prover, iat=iat, nonce=newer).status_code == 200


@pytest.mark.parametrize("off", [-60, 60, 120])
def test_a_nonce_counts_on_a_machine_whose_clock_differs_by_minutes(
    bound: Person, prover: Prover, off: int
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        bound.log_in(DPoP=prover.proof("/auth/login"))
        nonce = assert_nonce_wanted(refresh_by(bound, prover, iat=0))
        clock.shift(off)
        assert refresh_by(bound, prover, iat=0, nonce=nonce).status_code == 200


@pytest.mark.once
@pytest.mark.parametrize("header", [*UNUSABLE, "~"])
def test_an_unbound_session_ignores_every_proof(
    alice: Person, prover: Prover, connection: Connection, header: str
) -> None:
    alice.logged_in()
    proofs = [prover.proof("/auth/refresh"), prover.proof("/auth/refresh", iat=0)]
    for proof in proofs:
        assert alice.refresh(DPoP=header.replace("~", proof)).status_code == 200
    assert alice.refresh().status_code == 200
    assert keys(connection) == [None]


@pytest.mark.parametrize("headers", [{}, {"DPoP": ""}, {"DPoP": "garbage"}])
def test_a_logout_never_needs_a_proof(
    bound: Person, connection: Connection, headers: dict[str, str]
) -> None:
    answer = bound.log_out(**headers)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert live_sessions(connection) == 0


def test_no_route_binds_a_session_later_or_to_another_key_or_unbinds_it(
    alice: Person, prover: Prover, connection: Connection
) -> None:
    statements: list[str] = []
    with alice.app.app_context():
        engine = our_engine()

    def executed(connection: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    tablet = alice.on_another_device().logged_in()
    alice.log_in(DPoP=prover.proof("/auth/login"))
    event.listen(engine, "before_cursor_execute", executed)
    try:
        with time_machine.travel(time.time() + 7200, tick=False):  # so that last_used_at is updated
            for person in (tablet, alice):
                call_every_route(person, prover)
    finally:
        event.remove(engine, "before_cursor_execute", executed)
    by_age = [None, prover.thumbprint]
    assert keys(connection)[:2] == by_age
    updates = [statement for statement in statements if statement.startswith("UPDATE")]
    assert any("refresh_tokens" in update for update in updates)
    assert not any("key_thumbprint" in update for update in updates)


def call_every_route(person: Person, prover: Prover) -> None:
    """Send each request that concerns sessions, with proofs by the session's key and another."""
    for key in (prover, Prover()):
        refresh_by(person.on_same_device(), key)
        person.on_same_device().refresh()
        for method, path in (
            ("GET", "/api/me"),
            ("GET", "/api/me/sessions"),
            ("GET", "/api/me/activity"),
            ("PUT", "/api/me/password"),
            ("POST", "/auth/login"),
            ("POST", "/auth/logout"),
        ):
            proof = key.proof(path, method=method)
            json = {"current_password": person.password, "new_password": "short"}
            body = person.credentials if path == "/auth/login" else json
            caller = person.on_same_device()
            caller.call(method, path, headers={"DPoP": proof}, json=body)


@pytest.mark.once
def test_only_these_files_name_the_column_and_no_update_does() -> None:
    code = {
        file.relative_to(ROOT / "authsvc").as_posix(): file.read_text()
        for file in Path(ROOT / "authsvc").rglob("*.py")
    }
    assert {name for name, lines in code.items() if "key_thumbprint" in lines} == {
        "sessions/device.py",
        "migrations/versions/0005_bound_sessions.py",
        "sessions/list.py",
        "sessions/lookup.py",
        "sessions/model.py",
        "sessions/open.py",
        "sessions/refresh.py",
    }
    assert [name for name, lines in code.items() if "key_thumbprint=" in lines] == []


def test_many_refreshes_at_the_same_time_all_succeed(bound: Person, prover: Prover) -> None:
    proof = prover.proof("/auth/refresh")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: bound.on_same_device().refresh(DPoP=proof), range(40)))
    assert [answer.status_code for answer in answers] == [200] * 40


@pytest.fixture
def strict(app: Flask, make_app: MakeApp) -> Flask:
    """An app that opens only bound sessions."""
    return make_app(require_bound_sessions=True)


def test_where_the_operator_requires_it_sessions_open_only_with_a_proof(
    bound: Person, prover: Prover, strict: Flask, connection: Connection
) -> None:
    bound.app = strict
    with counted_hashes(strict) as hashes:
        for answer in (bound.log_in(), change_password(bound)):
            assert_problem(answer, 400, "invalid_request")
            assert "createAuth({ bind: true })" in answer.json["detail"]
    assert hashes.calls == 0
    assert bound.log_in(DPoP=prover.proof("/auth/login")).status_code == 200
    proof = prover.proof("/api/me/password", method="PUT")
    assert change_password(bound, DPoP=proof).status_code == 200
    assert keys(connection) == [prover.thumbprint] * 3


def test_where_the_operator_requires_it_sessions_of_before_go_on(
    alice: Person, strict: Flask
) -> None:
    alice.logged_in().app = strict
    assert alice.refresh().status_code == 200


def test_after_a_rotation_of_the_secret_a_nonce_of_before_counts(
    bound: Person, prover: Prover, make_app: MakeApp
) -> None:
    nonce = assert_nonce_wanted(refresh_by(bound, prover, iat=0))
    bound.app = make_app(**REFRESH_ROTATED)
    assert refresh_by(bound, prover, iat=0, nonce=nonce).status_code == 200
