"""The cookie of a bound session without its key is refused and recorded; the owner goes on."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from tests.ratelimit.cases import assert_limited
from tests.support.dpop import Prover
from tests.support.mail_routes import VERIFY, accounts_of, verify
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.responses import assert_problem, events, sessions

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def bound(alice: Person, prover: Prover) -> Person:
    """Alice, logged in with a session that is bound to the prover's key."""
    assert alice.log_in(DPoP=prover.proof("/auth/login")).status_code == 200
    return alice


def refresh(person: Person, proof: str | None, address: str = HERE) -> TestResponse:
    headers = {} if proof is None else {"DPoP": proof}
    base = {"REMOTE_ADDR": address}
    return person.call("POST", "/auth/refresh", headers=headers, environ_base=base)


def refusals(connection: Connection) -> list[str]:
    """Return the details of the recorded refusals, oldest first."""
    return [row.detail for row in events(connection) if row.event == "refresh_refused"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE refresh_tokens SET revoked_at = issued_at", "refresh_token_revoked"),
        ("UPDATE refresh_tokens SET expires_at = issued_at", "refresh_token_expired"),
        ("DELETE FROM refresh_tokens", "refresh_token_invalid"),
        ("UPDATE refresh_tokens SET issued_at = expires_at", "refresh_token_invalid"),
    ],
)
def test_the_session_is_checked_before_the_proof(
    bound: Person, prover: Prover, connection: Connection, change: str, code: str
) -> None:
    connection.execute(text(change))
    stale, good = prover.proof("/auth/refresh", iat=0), prover.proof("/auth/refresh")
    for proof in (None, "garbage", stale, good):
        assert_problem(refresh(bound, proof), 401, code)


@pytest.mark.once
@pytest.mark.parametrize(("cookie", "code"), [("", "missing"), ("garbage", "invalid")])
def test_the_cookie_is_checked_before_the_proof(bound: Person, cookie: str, code: str) -> None:
    bound.refresh_token = cookie
    for proof in (None, "garbage"):
        assert_problem(refresh(bound, proof), 401, f"refresh_token_{code}")


def test_no_refusal_ends_the_session_or_touches_the_cookie(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    before = sessions(connection)
    stale = prover.proof("/auth/refresh", iat=0)
    for proof, code in (
        (None, "dpop_proof_missing"),
        ("", "dpop_proof_invalid"),
        (Prover().proof("/auth/refresh"), "dpop_proof_invalid"),
        (stale, "use_dpop_nonce"),
    ):
        answer = refresh(bound, proof)
        assert_problem(answer, 401, code)
        assert "Set-Cookie" not in answer.headers
        assert ("WWW-Authenticate" in answer.headers) == (code == "use_dpop_nonce")
        assert ("DPoP-Nonce" in answer.headers) == (code == "use_dpop_nonce")
    assert sessions(connection) == before
    assert refresh(bound, prover.proof("/auth/refresh")).status_code == 200


def test_a_thief_cannot_use_up_the_owners_refreshes(bound: Person, prover: Prover) -> None:
    thief = bound.on_same_device()
    with time_machine.travel(time.time(), tick=False):
        forged = Prover().proof("/auth/refresh")
        for number in range(60):
            proof = None if number % 2 else forged
            assert refresh(thief, proof).status_code == 401
        for proof in (None, forged):
            assert_limited(refresh(thief, proof), 1, 60)
        assert refresh(thief, None, ELSEWHERE).status_code == 401
        good = prover.proof("/auth/refresh")
        owner = [refresh(bound, good, address).status_code for address in [HERE, ELSEWHERE] * 30]
        assert owner == [200] * 60
        assert_limited(refresh(bound, good), 1, 60)


def test_proofs_that_are_only_stale_are_not_counted(bound: Person, prover: Prover) -> None:
    stale = prover.proof("/auth/refresh", iat=0)
    for _ in range(62):
        assert_problem(refresh(bound, stale), 401, "use_dpop_nonce")
    assert_problem(refresh(bound, None), 401, "dpop_proof_missing")


def test_the_failures_of_one_session_do_not_limit_another(bound: Person) -> None:
    tablet = bound.on_another_device()
    key = Prover()
    assert tablet.log_in(DPoP=key.proof("/auth/login")).status_code == 200
    with time_machine.travel(time.time(), tick=False):
        for _ in range(61):
            limited = refresh(bound, None)
        assert limited.status_code == 429
        assert_problem(refresh(tablet, None), 401, "dpop_proof_missing")


def test_a_minute_later_a_failed_proof_is_a_failed_proof_again(bound: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        bound.log_in(DPoP=Prover().proof("/auth/login"))
        assert [refresh(bound, None).status_code for _ in range(61)] == [401] * 60 + [429]
        clock.shift(60)
        assert_problem(refresh(bound, None), 401, "dpop_proof_missing")


def test_each_refusal_is_recorded_once_an_hour_with_its_code(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        bound.log_in(DPoP=prover.proof("/auth/login"))
        thief = bound.on_same_device()
        for _ in range(3):
            refresh(thief, None, ELSEWHERE)
            refresh(thief, "garbage", ELSEWHERE)
            refresh(thief, prover.proof("/auth/refresh", iat=0), ELSEWHERE)
        assert sorted(refusals(connection)) == ["dpop_proof_invalid", "dpop_proof_missing"]
        clock.shift(timedelta(hours=1, seconds=1))
        refresh(thief, None, ELSEWHERE)
        assert refusals(connection)[2:] == ["dpop_proof_missing"]


def test_the_owner_sees_the_refusal_with_address_and_browser(bound: Person, prover: Prover) -> None:
    headers = {"DPoP": "garbage", "User-Agent": "curl/8.5"}
    base = {"REMOTE_ADDR": ELSEWHERE}
    thief = bound.on_same_device()
    thief.call("POST", "/auth/refresh", headers=headers, environ_base=base)
    assert refresh(bound, prover.proof("/auth/refresh")).status_code == 200
    newest, *_ = bound.call("GET", "/api/me/activity").json["events"]
    assert (newest["event"], newest["detail"]) == ("refresh_refused", "dpop_proof_invalid")
    assert (newest["ip_address"], newest["user_agent"]) == (ELSEWHERE, "curl/8.5")
    assert newest["current"] is True


@pytest.mark.parametrize("kind", ["none", "garbage", "stale", "other", "good"])
def test_the_cookie_of_a_bound_session_verifies_an_address_only_with_its_proof(
    mail_app: Flask, mailbox: Mailbox, prover: Prover, kind: str
) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    link = mailbox.token(VERIFY)
    alice.log_in(DPoP=prover.proof("/auth/login"))
    path = "/auth/email/verify"
    header = {
        "none": {},
        "garbage": {"DPoP": "garbage"},
        "stale": {"DPoP": prover.proof(path, iat=0)},
        "other": {"DPoP": Prover().proof(path)},
        "good": {"DPoP": prover.proof(path)},
    }[kind]
    answer = alice.call("POST", path, json={"token": link}, headers=header)
    if kind == "good":
        assert answer.status_code == 204
    else:
        assert_problem(answer, 401, "password_required")
    assert (accounts_of(mail_app)[0].email_verified_at is not None) == (kind == "good")
    assert verify(alice, link, alice.password).status_code == 204
