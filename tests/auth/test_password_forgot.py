"""POST /auth/password/forgot; what its link does is in test_password_reset.py."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from time_machine import Traveller, travel

from authsvc.database import our_tables
from authsvc.mail.model import WaitingMail
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.audit.test_one_transaction import without
from tests.conftest import MakeApp
from tests.http.test_proxies import FORWARDED
from tests.support.mailbox import APP_URL, Mailbox, text_of, token_in
from tests.support.people import Person
from tests.support.recovery import NEW, forgot, mailed_token, reset, reset_tokens
from tests.support.responses import assert_problem, counted_statements, pointers

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PEOPLE = ["verified", "unverified", "disabled", "unknown"]


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def alice(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, with no mail under way."""
    alice = Person(mail_app, "Alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice


@pytest.fixture
def cast(alice: Person, mailbox: Mailbox, connection: Connection) -> dict[str, Person]:
    """People whose accounts differ, and one without an account."""
    cast = {
        name: Person(alice.app, f"{name}@example.com", "a staple for a battery") for name in PEOPLE
    }
    for name in PEOPLE[:3]:
        cast[name].register()
    when = "SET {} = created_at WHERE email_key = '{}@example.com'"
    connection.execute(text("UPDATE users " + when.format("email_verified_at", "verified")))
    connection.execute(text("UPDATE users " + when.format("disabled_at", "disabled")))
    mailbox.deliver()
    return cast


def waiting(connection: Connection) -> list[str]:
    """Return the addresses to which a link for a new password is to be sent."""
    asked = select(WaitingMail.email).where(WaitingMail.kind == "reset").order_by(WaitingMail.id)
    return list(connection.execute(asked).scalars())


def test_a_forgotten_password_sends_a_link_to_the_address_of_the_account(
    alice: Person, mailbox: Mailbox
) -> None:
    answer = forgot(alice, "alice@EXAMPLE.com")
    assert (answer.status_code, answer.json) == (202, {})
    mail = mailbox.only()
    assert mail["To"] == "Alice@example.com"
    assert len(token_in(mail, "reset-password")) == 43


def test_the_response_is_the_same_for_every_address(cast: dict[str, Person]) -> None:
    """E1."""
    answers = [forgot(cast[name]) for name in PEOPLE]
    assert {answer.status for answer in answers} == {"202 ACCEPTED"}
    assert {answer.data for answer in answers} == {b"{}\n"}
    for answer in answers:
        answer.headers.remove("X-Request-ID")
    assert answers[0].headers == answers[1].headers == answers[2].headers == answers[3].headers


def test_the_statements_are_the_same_for_every_address(cast: dict[str, Person]) -> None:
    """E1."""
    costs = []
    for name in PEOPLE:
        with counted_statements(cast[name].app) as statements:
            forgot(cast[name])
        costs.append(statements)
    assert costs == [["SELECT", "INSERT", "DELETE", "INSERT"]] * 4


def test_no_request_for_a_link_reads_the_accounts(
    cast: dict[str, Person], connection: Connection
) -> None:
    """E1: there is not even a table of accounts while they are answered."""
    with without(connection, "users"):
        assert {forgot(cast[name]).status_code for name in PEOPLE} == {202}
    assert waiting(connection) == [f"{name}@example.com" for name in PEOPLE]


def test_only_accounts_that_can_log_in_get_a_mail(
    cast: dict[str, Person], mailbox: Mailbox, connection: Connection
) -> None:
    for name in PEOPLE:
        forgot(cast[name])
    mails = mailbox.deliver()
    assert [mail["To"] for mail in mails] == ["verified@example.com", "unverified@example.com"]
    assert waiting(connection) == []


class Counting(Argon2id):
    hashes = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.hashes += 1
        return super().hash(password, salt=salt)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.hashes += 1
        return super().verify(password, hash)


@pytest.mark.once
def test_no_password_is_hashed_for_a_link(
    make_app: MakeApp, mail_settings: dict[str, str], alice: Person
) -> None:
    counting = Counting(time_cost=1, memory_cost=8)
    alice.app = make_app(**mail_settings)
    registry.add(alice.app, Passwords(15, counting))
    forgot(alice)
    forgot(alice, "unknown@example.com")
    assert counting.hashes == 0
    alice.log_in()
    assert counting.hashes == 1


@pytest.mark.once
@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "alice",
            "alice@",
            "@example.com",
            "a b@example.com",
            "alice@example.com,b@c.example",
        ),
        *("alice@example.com\r\nBcc: b@c.example", "alice\n@example.com", "\0alice@example.com"),
        *("alice@example.com\0", "<alice@example.com>", "Alice <alice@example.com>"),
        *("alice@example.com\r\n\r\nbody", "\ud800@example.com", "alice@exam\udfffple.com"),
        *('"alice\r\nBcc: b"@example.com', "alice@[127.0.0.1]"),
        *("alice@example.com%0d%0aBcc:b@c.example", "x" * 10_000, "alice@" + "e" * 300 + ".com"),
    ],
)
def test_an_invalid_address_is_refused_and_not_counted(
    alice: Person, connection: Connection, email: str
) -> None:
    assert {tuple(pointers(forgot(alice, email))) for _ in range(6)} == {("/email",)}
    assert waiting(connection) == []
    assert forgot(alice).status_code == 202


@pytest.mark.once
@pytest.mark.parametrize(
    "body", [{}, {"email": None}, {"email": 1}, {"email": ["alice@example.com"]}, {"email": {}}]
)
def test_the_address_must_be_a_string(alice: Person, body: dict[str, object]) -> None:
    answer = alice.call("POST", "/auth/password/forgot", json=body)
    assert pointers(answer) == ["/email"]


@pytest.mark.once
@pytest.mark.parametrize(
    "email",
    [" alice@example.com\r\n", "ALICE@example.com", "alice@EXAMPLE.COM\t", "alice@example.com"],
)
def test_the_mail_goes_to_the_stored_address_and_never_to_the_typed_one(
    alice: Person, mailbox: Mailbox, email: str
) -> None:
    assert forgot(alice, email).status_code == 202
    (mail,) = mailbox.deliver()
    assert mail["To"] == "Alice@example.com"
    assert email.encode() not in mail.as_bytes()


@pytest.mark.once
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_link_leads_to_the_configured_app_whatever_the_request_says(
    make_app: MakeApp, mail_settings: dict[str, str], alice: Person, mailbox: Mailbox, proxies: int
) -> None:
    """E3."""
    alice.app = make_app(**mail_settings, trusted_proxies=proxies)
    poisoned = FORWARDED | {"Host": "attacker.example", "X-Host": "attacker.example"}
    del poisoned["X-HTTP-Method-Override"]
    assert forgot(alice, **poisoned).status_code == 202
    (mail,) = Mailbox(alice.app, mailbox.folder).deliver()
    assert f"{APP_URL}/reset-password#token=" in text_of(mail)
    assert b"attacker" not in mail.as_bytes()


def test_a_token_is_in_no_log_and_in_no_table(
    alice: Person,
    mailbox: Mailbox,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """E3; M3."""
    caplog.set_level(logging.DEBUG)
    token = mailed_token(alice, mailbox)
    found = everything_stored(connection)
    reset(alice, token, "too few")
    reset(alice, token)
    mailbox.deliver()
    found += everything_stored(connection)
    logged = caplog.text + "".join(capfd.readouterr())
    assert "Alice@example.com" in found
    assert "/auth/password/reset" in logged
    assert token not in found + logged
    assert NEW not in found + logged


def everything_stored(connection: Connection) -> str:
    rows = [row for table in our_tables() for row in connection.execute(select(table))]
    return "\n".join(
        value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for row in rows
        for value in row
    )


@pytest.mark.once
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/email/resend"])
def test_another_method_sends_nothing(
    alice: Person, connection: Connection, method: str, path: str
) -> None:
    for kind in ("json", "query_string"):
        answer = alice.call(method, path, **{kind: {"email": alice.email}})
        assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert connection.execute(select(WaitingMail.id)).all() == []


def test_a_second_request_within_five_minutes_sends_no_second_mail(
    alice: Person, connection: Connection, clock: Traveller
) -> None:
    for seconds in (0, 299):
        clock.move_to(NOON + timedelta(seconds=seconds))
        assert forgot(alice).status_code == 202
    assert waiting(connection) == ["Alice@example.com"]
    clock.move_to(NOON + timedelta(seconds=300))
    assert forgot(alice).status_code == 202
    assert len(waiting(connection)) == 2


def test_other_requests_for_a_mail_do_not_silence_this_one(
    alice: Person, connection: Connection
) -> None:
    resend(alice)
    forgot(alice, "bob@example.com")
    forgot(alice)
    assert waiting(connection) == ["bob@example.com", "Alice@example.com"]


def resend(person: Person, email: str | None = None, **kwargs: object):
    return person.call("POST", "/auth/email/resend", json={"email": email or person.email})


ROUTES: dict[str, Callable[[Person], object]] = {
    "/auth/password/forgot": forgot,
    "/auth/password/reset": lambda alice: reset(alice, "A" * 43),
    "/auth/email/resend": resend,
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.once
def test_without_mail_the_route_does_not_exist(app: Flask, path: str) -> None:
    person = Person(app, "alice@example.com", "a horse that is correct")
    assert_problem(ROUTES[path](person), 404, "not_found")  # type: ignore[arg-type]
    assert path not in person.call("GET", "/openapi.json").json["paths"]


def test_a_request_that_cannot_be_stored_is_refused_and_not_counted(
    alice: Person, connection: Connection, mailbox: Mailbox
) -> None:
    with without(connection, "outbox"):
        assert {forgot(alice).status_code for _ in range(6)} <= {500, 503}
    assert forgot(alice).status_code == 202
    assert len(reset_tokens(mailbox)) == 1
