"""A new password, and a newer link, void the links that were mailed and those that wait."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, bindparam, text
from time_machine import Traveller, travel
from werkzeug.test import TestResponse

from authsvc.database import UTCDateTime
from authsvc.mail import leases
from authsvc.mail.letter import Letter
from authsvc.mail.outbox import Mail
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.users.letters import Letters
from authsvc.web import registry
from tests.conftest import MakeApp
from tests.support.lock_waits import wait_for_a_lock
from tests.support.mailbox import Mailbox
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import NEW, forgot, mailed_token, reset, reset_tokens
from tests.support.responses import assert_problem
from tests.support.signing_secrets import REFRESH_SECRET

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SILENCE = timedelta(minutes=5)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def alice(mail_app: Flask, mailbox: Mailbox, clock: Traveller) -> Person:
    """Alice, logged in, with no mail under way."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register().logged_in()
    mailbox.deliver()
    return alice


def change_password(alice: Person) -> TestResponse:
    body = {"current_password": alice.password, "new_password": NEW}
    return alice.call("PUT", "/api/me/password", json=body)


def token_of_a_sender_that_dies(app: Flask) -> str:
    """Take the mail that is due out of the outbox, and return the token of its link."""
    with app.app_context():
        taken = leases.take(Letters(registry.get(OneTimeTokens)).letter)
    assert taken is not None
    assert taken[1] is not None
    assert taken[1].link is not None
    return taken[1].link.token


def test_a_newer_link_voids_the_older_one(
    alice: Person, mailbox: Mailbox, clock: Traveller
) -> None:
    older = mailed_token(alice, mailbox)
    clock.shift(SILENCE)
    newer = mailed_token(alice, mailbox)
    assert_problem(reset(alice, older), 401, "token_invalid")
    assert reset(alice, newer).status_code == 204


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_newer_link_stays_if_the_older_mail_is_sent_after_it(
    alice: Person, mailbox: Mailbox, connection: Connection, clock: Traveller, attempts: int
) -> None:
    forgot(alice)
    for _ in range(attempts):
        token_of_a_sender_that_dies(alice.app)
    later = text("UPDATE outbox SET due_at = :later").bindparams(
        bindparam("later", NOON + 3 * SILENCE, type_=UTCDateTime)
    )
    connection.execute(later)  # the mail server was busy, for this mail alone
    clock.shift(SILENCE)
    newer = mailed_token(alice, mailbox)
    clock.shift(2 * SILENCE)
    assert reset_tokens(mailbox) == []
    assert reset(alice, newer).status_code == 204


def test_a_used_link_stays_dead_if_its_sender_died_after_it_was_delivered(
    alice: Person, mailbox: Mailbox, clock: Traveller
) -> None:
    forgot(alice)
    token = token_of_a_sender_that_dies(alice.app)
    assert reset(alice, token).status_code == 204
    clock.shift(leases.LEASE)
    assert reset_tokens(mailbox) == []
    assert_problem(reset(alice, token), 401, "token_invalid")


def test_a_mail_whose_sender_died_is_sent_with_the_same_link(
    alice: Person, mailbox: Mailbox, clock: Traveller
) -> None:
    forgot(alice)
    token = token_of_a_sender_that_dies(alice.app)
    clock.shift(leases.LEASE - timedelta(seconds=1))
    assert reset_tokens(mailbox) == []
    clock.shift(timedelta(seconds=1))
    assert reset_tokens(mailbox) == [token]
    assert reset(alice, token).status_code == 204


@pytest.mark.parametrize("previous", [{"refresh_token_secret_previous": REFRESH_SECRET.hex()}, {}])
def test_after_a_rotation_a_mail_that_waits_has_a_link_that_works(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    alice: Person,
    mailbox: Mailbox,
    clock: Traveller,
    previous: dict[str, str],
) -> None:
    """The link of an earlier attempt stays good as long as its secret is configured."""
    forgot(alice)
    token = token_of_a_sender_that_dies(alice.app)
    secret = REFRESH_SECRET[::-1].hex()
    alice.app = make_app(refresh_token_secret=secret, **previous, **mail_settings)
    clock.shift(leases.LEASE)
    (again,) = reset_tokens(Mailbox(alice.app, mailbox.folder))
    assert (again == token) is bool(previous)
    if not previous:
        assert_problem(reset(alice, token), 401, "token_invalid")
    assert reset(alice, again).status_code == 204


def by_a_request(alice: Person, operator: Operator) -> None:
    assert change_password(alice).status_code == 200


def by_a_command(alice: Person, operator: Operator) -> None:
    done = operator.run("users", "set-password", alice.email, typed=f"{NEW}\n")
    assert done.exit_code == 0


@pytest.mark.every_case
@pytest.mark.parametrize("change", [by_a_request, by_a_command])
def test_a_new_password_voids_a_link_that_was_mailed_and_one_that_waits(
    alice: Person,
    mailbox: Mailbox,
    operator: Operator,
    mail_settings: dict[str, str],
    clock: Traveller,
    change: Callable[[Person, Operator], None],
) -> None:
    operator.environment |= {f"AUTHSVC_{name.upper()}": one for name, one in mail_settings.items()}
    mailed = mailed_token(alice, mailbox)
    clock.shift(SILENCE)
    forgot(alice)
    change(alice, operator)
    assert reset_tokens(mailbox) == []
    assert_problem(reset(alice, mailed), 401, "token_invalid")
    clock.shift(SILENCE)
    assert reset(alice, mailed_token(alice, mailbox)).status_code == 204


@pytest.mark.only("postgres")
def test_a_new_password_voids_a_link_that_is_being_made_meanwhile(
    alice: Person, connection: Connection
) -> None:
    def make_a_link(writes: Connection, mail: Mail) -> tuple[Letter | None, Future[TestResponse]]:
        letter = Letters(registry.get(OneTimeTokens)).letter(writes, mail)
        changing = thread.submit(change_password, alice)
        wait_for_a_lock(connection, changing)
        return letter, changing

    forgot(alice)
    with ThreadPoolExecutor(1) as thread, alice.app.app_context():
        taken = leases.take(make_a_link)
        assert taken is not None
        letter, changing = taken[1]
        assert changing.result().status_code == 200
    assert letter is not None
    assert letter.link is not None
    assert_problem(reset(alice, letter.link.token), 401, "token_invalid")


@pytest.mark.only("postgres")
def test_a_newer_link_voids_an_older_one_that_another_sender_is_making(
    alice: Person, connection: Connection, clock: Traveller
) -> None:
    def make_the_newer_too(writes: Connection, mail: Mail) -> tuple[Letter | None, Future[str]]:
        letter = Letters(registry.get(OneTimeTokens)).letter(writes, mail)
        making = thread.submit(token_of_a_sender_that_dies, alice.app)
        wait_for_a_lock(connection, making)
        return letter, making

    forgot(alice)
    clock.shift(SILENCE)
    forgot(alice)
    with ThreadPoolExecutor(1) as thread, alice.app.app_context():
        taken = leases.take(make_the_newer_too)
        assert taken is not None
        older, making = taken[1]
        newer = making.result()
    assert older is not None
    assert older.link is not None
    assert_problem(reset(alice, older.link.token), 401, "token_invalid")
    assert reset(alice, newer).status_code == 204
