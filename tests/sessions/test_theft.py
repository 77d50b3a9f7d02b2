"""Signs of a stolen cookie reach the owner: in the account's activity, and by mail."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from time_machine import Traveller, travel

from authsvc.audit.record import Event, record, user_at
from authsvc.database import writing
from authsvc.mail.outbox import Outbox
from authsvc.users.accounts import lock
from authsvc.web import registry
from authsvc.web.client import Client
from tests.support.dpop import Prover
from tests.support.lock_waits import wait_for_a_lock
from tests.support.mailbox import Mailbox, text_of
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, counted_statements, events

NOON = datetime(2026, 11, 24, 12, 34, 0, tzinfo=UTC)
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
CURL = {"User-Agent": "curl/8.5.0"}


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def dora(mail_app: Flask) -> Person:
    return Person(mail_app, "Dora@example.com", "a door that is ajar").register()


@pytest.fixture
def prover() -> Prover:
    return Prover()


@pytest.fixture
def bound(clock: Traveller, dora: Person, prover: Prover) -> Person:
    assert dora.log_in(DPoP=prover.proof("/auth/login"), **FIREFOX).status_code == 200
    clock.shift(1)
    return dora


@pytest.fixture
def unbound(clock: Traveller, dora: Person) -> Person:
    assert dora.log_in(**FIREFOX).status_code == 200
    clock.shift(1)
    return dora


def signs(connection: Connection) -> list[tuple[str, str | None]]:
    """Return the kind and detail of what was recorded after the login."""
    kinds = ("refresh_refused", "suspicious_use")
    return [(row.event, row.detail) for row in events(connection) if row.event in kinds]


def notices(mailbox: Mailbox) -> list[str]:
    mails = [mail for mail in mailbox.deliver() if "copied" in mail["Subject"]]
    assert all(mail["To"] == "Dora@example.com" for mail in mails)
    return [text_of(mail) for mail in mails]


def in_turn(owner: Person) -> None:
    """Refresh as the owner, as a thief with a copy of the cookie, and as the owner again."""
    for headers in (FIREFOX, CURL, FIREFOX):
        assert owner.on_same_device().refresh(**headers).status_code == 200


@contextmanager
def without(connection: Connection, table: str) -> Iterator[None]:
    connection.execute(text(f"ALTER TABLE {table} RENAME TO hidden"))
    try:
        yield
    finally:
        connection.execute(text(f"ALTER TABLE hidden RENAME TO {table}"))


def test_a_bound_cookie_without_its_key_is_recorded_and_mailed(
    bound: Person, connection: Connection, mailbox: Mailbox
) -> None:
    assert_problem(bound.on_same_device().refresh(**CURL), 401, "dpop_proof_missing")
    assert signs(connection) == [("refresh_refused", "dpop_proof_missing")]
    row = events(connection)[-1]
    assert (row.ip_address, row.user_agent, row.actor) == ("127.0.0.1", "curl/8.5.0", "user")
    (notice,) = notices(mailbox)
    assert "without the key of your browser or its device, and was refused" in notice
    assert "Browser: curl\nTime: 2026-11-24 12:34 UTC\nNetwork address: 127.0.0.1\n" in notice


def test_another_key_is_a_sign_and_a_clock_that_is_wrong_is_not(
    bound: Person, prover: Prover, connection: Connection, mailbox: Mailbox
) -> None:
    stale = prover.proof("/auth/refresh", iat=0)
    assert_problem(bound.refresh(DPoP=stale), 401, "use_dpop_nonce")
    assert (signs(connection), notices(mailbox)) == ([], [])
    assert_problem(bound.refresh(DPoP=Prover().proof("/auth/refresh")), 401, "dpop_proof_invalid")
    assert signs(connection) == [("refresh_refused", "dpop_proof_invalid")]
    assert len(notices(mailbox)) == 1


def test_an_unbound_session_used_from_two_places_in_turn_goes_on_and_is_reported(
    unbound: Person, connection: Connection, mailbox: Mailbox
) -> None:
    in_turn(unbound)
    assert signs(connection) == [("suspicious_use", "browser")]
    (notice,) = notices(mailbox)
    assert "it was used by two browsers in turn within a minute" in notice
    assert "Browser: Firefox on Linux\n" in notice


def test_two_networks_in_turn_are_reported_too(
    unbound: Person, connection: Connection, mailbox: Mailbox
) -> None:
    cookie = {"Cookie": f"{unbound.cookie_name}={unbound.refresh_token}", **FIREFOX}
    client = unbound.app.test_client(use_cookies=False)
    for address in ("192.0.2.1", "203.0.113.1", "192.0.2.9"):
        place = {"REMOTE_ADDR": address}
        answer = client.post("/auth/refresh", headers=cookie, environ_base=place)
        assert answer.status_code == 200
    assert signs(connection) == [("suspicious_use", "network")]
    (notice,) = notices(mailbox)
    assert "it was used from two networks in turn within a minute" in notice
    assert "Network address: 192.0.2.9\n" in notice


def test_the_owner_sees_the_signs_in_the_activity(unbound: Person) -> None:
    in_turn(unbound)
    newest, *_ = unbound.call("GET", "/api/me/activity").json["events"]
    assert (newest["event"], newest["detail"]) == ("suspicious_use", "browser")


def test_a_browser_with_its_key_may_move_as_it_likes(
    bound: Person, prover: Prover, connection: Connection
) -> None:
    for headers in (FIREFOX, CURL, FIREFOX):
        assert bound.refresh(DPoP=prover.proof("/auth/refresh"), **headers).status_code == 200
    assert signs(connection) == []


def test_a_sign_is_reported_once_an_hour(
    unbound: Person,
    clock: Traveller,
    connection: Connection,
    mailbox: Mailbox,
) -> None:
    in_turn(unbound)
    in_turn(unbound)
    assert (len(signs(connection)), len(notices(mailbox))) == (1, 1)
    clock.shift(timedelta(hours=1, seconds=1))
    in_turn(unbound)
    assert (len(signs(connection)), len(notices(mailbox))) == (2, 1)


def test_a_thief_who_sends_many_requests_at_once_causes_one_mail(
    bound: Person, connection: Connection, mailbox: Mailbox
) -> None:
    thieves = [bound.on_same_device() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda thief: thief.refresh(), thieves))
    assert {answer.json["code"] for answer in answers} == {"dpop_proof_missing"}
    assert (len(signs(connection)), len(notices(mailbox))) == (1, 1)


@pytest.mark.only("postgres")
def test_requests_at_once_wait_for_the_first_report(
    bound: Person, mail_app: Flask, connection: Connection, mailbox: Mailbox
) -> None:
    """SQLite has one writer at a time."""
    claim = claims(bound.refresh_token)
    event = Event("refresh_refused", UUID(claim["sub"]), UUID(claim["sid"]), "dpop_proof_missing")
    with ThreadPoolExecutor(1) as thread, mail_app.app_context(), writing() as first:
        lock(first, UUID(claim["sub"]))
        record(first, user_at(Client()), event)
        second = thread.submit(bound.refresh)
        wait_for_a_lock(connection, second)
        first.commit()
        assert_problem(second.result(), 401, "dpop_proof_missing")
    assert (len(signs(connection)), notices(mailbox)) == (1, [])


def test_a_report_wakes_the_sender_and_further_signs_write_nothing(
    unbound: Person, mail_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    with mail_app.app_context():
        monkeypatch.setattr(registry.get(Outbox), "wake", lambda: woken.append(True))
    in_turn(unbound)
    with counted_statements(mail_app) as statements:
        assert unbound.refresh(**CURL).status_code == 200
    assert statements == ["SELECT"] * 2
    assert woken == [True]


def test_a_refresh_that_is_not_suspicious_costs_one_query(unbound: Person, mail_app: Flask) -> None:
    with counted_statements(mail_app) as statements:
        for headers in (FIREFOX, CURL):
            assert unbound.refresh(**headers).status_code == 200
    assert statements == ["SELECT"] * 2


def test_a_refresh_is_answered_if_the_sign_cannot_be_recorded(
    unbound: Person, connection: Connection, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    with without(connection, "outbox"):
        in_turn(unbound)
    assert "suspicious_use was not recorded" in caplog.text
    assert (signs(connection), notices(mailbox)) == ([], [])


def test_without_mail_a_sign_is_recorded_alone(
    clock: Traveller, alice: Person, connection: Connection
) -> None:
    assert alice.log_in(**FIREFOX).status_code == 200
    in_turn(alice)
    assert signs(connection) == [("suspicious_use", "browser")]
    assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


def test_an_account_gets_five_such_mails_an_hour_at_most(
    clock: Traveller, dora: Person, mailbox: Mailbox, connection: Connection
) -> None:
    """A stranger who registered another person's address cannot fill that mailbox."""
    for _ in range(7):
        prover = Prover()
        assert dora.log_in(DPoP=prover.proof("/auth/login"), **FIREFOX).status_code == 200
        assert_problem(dora.refresh(**CURL), 401, "dpop_proof_missing")
        dora.refresh_token = ""
    assert len(signs(connection)) == 7
    assert len(notices(mailbox)) == 5
