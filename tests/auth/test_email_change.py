"""POST /auth/email/change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, select, text

from authsvc.database import our_tables
from tests.support import recovery
from tests.support.address_change import NEW, ask, confirm, mailed_token
from tests.support.mailbox import Mailbox, text_of
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, events, live_sessions, pointers, users

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def alice(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, logged in, whose mails so far were read."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice.logged_in()


def at(person: Person, email: str) -> Person:
    """Return the person on another device, with that address."""
    return Person(person.app, email, person.password)


def test_the_new_address_logs_in_at_once_and_the_old_one_no_more(
    alice: Person, mailbox: Mailbox
) -> None:
    token = mailed_token(alice, mailbox)
    answer = confirm(at(alice, ""), token)  # perhaps on another device: it takes no session
    assert (answer.status_code, answer.data) == (204, b"")
    assert at(alice, NEW).log_in().status_code == 200
    assert_problem(alice.on_another_device().log_in(), 401, "invalid_credentials")
    account = alice.call("GET", "/api/me").json
    assert (account["email"], account["email_verified"]) == (NEW, True)


def test_sessions_stay(alice: Person, mailbox: Mailbox, connection: Connection) -> None:
    other = alice.on_another_device().logged_in()
    token = mailed_token(alice, mailbox)
    assert confirm(alice, token).status_code == 204
    assert live_sessions(connection) == 2
    assert alice.refresh().status_code == other.refresh().status_code == 200


def test_the_owner_is_told_at_the_old_address(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    """E4; the new address, which a thief may have chosen, does not stand in the mail."""
    confirm(alice, mailed_token(alice, mailbox))
    notice = mailbox.only()
    assert notice["To"] == "alice@example.com"
    assert NEW not in notice.as_string()
    last = events(connection)[-1]
    assert (last.event, last.actor, last.detail) == ("email_changed", "user", None)
    assert last.user_id == users(connection)[0].id


def test_a_link_works_once(alice: Person, mailbox: Mailbox) -> None:
    token = mailed_token(alice, mailbox)
    assert confirm(alice, token).status_code == 204
    assert_problem(confirm(alice, token), 401, "token_invalid")
    assert len(mailbox.deliver()) == 1


def together(*requests: Callable[[], object]) -> list[object]:
    with ThreadPoolExecutor(len(requests)) as threads:
        return [done.result() for done in [threads.submit(request) for request in requests]]


def test_of_many_uses_at_once_one_succeeds(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    statuses = together(*[lambda: confirm(at(alice, ""), token).status_code] * 6)
    assert sorted(statuses) == [204] + [401] * 5
    assert [event.event for event in events(connection)].count("email_changed") == 1
    assert len(mailbox.deliver()) == 1


def test_of_two_accounts_that_take_an_address_at_once_one_gets_it(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    bob = Person(alice.app, "bob@example.com", "a staple for a battery").register()
    mailbox.deliver()
    tokens = [mailed_token(person, mailbox) for person in (alice, bob.logged_in())]
    statuses = together(
        *(lambda token=token: confirm(alice, token).status_code for token in tokens)
    )
    assert sorted(statuses) == [204, 409]
    assert [user.email for user in users(connection)].count(NEW) == 1


def test_an_address_taken_in_between_changes_nothing_and_the_link_stays_good(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    bob = Person(alice.app, NEW.upper(), "a staple for a battery").register()
    mailbox.deliver()
    before = users(connection), len(events(connection))
    for _ in range(2):
        assert_problem(confirm(alice, token), 409, "email_taken")
    assert (users(connection), len(events(connection))) == before
    assert mailbox.deliver() == []
    bob.logged_in().call("DELETE", "/api/me", json={"password": bob.password})
    assert confirm(alice, token).status_code == 204


@pytest.mark.parametrize(("seconds", "status"), [(3599, 204), (3600, 401)])
def test_a_link_lives_an_hour_from_when_it_was_sent(
    alice: Person, mailbox: Mailbox, seconds: int, status: int
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert ask(alice.logged_in()).status_code == 202
        clock.shift(timedelta(hours=3))
        token = mailbox.token("change-email")
        clock.shift(seconds)
        assert confirm(alice, token).status_code == status


def test_a_disabled_account_keeps_its_address(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    connection.execute(text("UPDATE users SET disabled_at = created_at"))
    assert_problem(confirm(alice, token), 401, "token_invalid")
    connection.execute(text("UPDATE users SET disabled_at = NULL"))
    assert confirm(alice, token).status_code == 204


def test_a_request_of_an_account_that_was_disabled_sends_nothing(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    ask(alice)
    connection.execute(text("UPDATE users SET disabled_at = created_at"))
    assert mailbox.deliver() == []


@pytest.mark.parametrize("token", ["", "a", "a" * 43, "=" * 16_000, "\0", "Ünï", " \n"])
def test_an_unknown_token_is_refused(alice: Person, token: str) -> None:
    assert_problem(confirm(alice, token), 401, "token_invalid")


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": None}, {"token": "\ud800"}])
def test_a_body_without_a_token_is_invalid(alice: Person, body: dict[str, object]) -> None:
    assert pointers(alice.call("POST", "/auth/email/change", json=body)) == ["/token"]


def test_a_link_for_something_else_changes_no_address(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    bob = Person(alice.app, "bob@example.com", "a staple for a battery").register()
    verifies, resets = mailbox.token("verify-email"), recovery.mailed_token(alice, mailbox)
    for token in (verifies, resets):
        assert_problem(confirm(alice, token), 401, "token_invalid")
    assert {user.email for user in users(connection)} == {alice.email, bob.email}
    assert recovery.reset(alice, resets).status_code == 204  # and it was not used up


def test_a_link_to_a_new_address_is_good_for_nothing_else(alice: Person, mailbox: Mailbox) -> None:
    token = mailed_token(alice, mailbox)
    assert_problem(recovery.reset(alice, token), 401, "token_invalid")
    verify = {"token": token, "password": alice.password}
    answer = alice.call("POST", "/auth/email/verify", json=verify)
    assert_problem(answer, 401, "token_invalid")
    assert confirm(alice, token).status_code == 204


def test_a_change_voids_a_link_for_a_new_password_that_was_sent(
    alice: Person, mailbox: Mailbox
) -> None:
    token, old = mailed_token(alice, mailbox), recovery.mailed_token(alice, mailbox)
    assert confirm(alice, token).status_code == 204
    assert_problem(recovery.reset(alice, old), 401, "token_invalid")


def test_a_change_voids_a_link_for_a_new_password_that_waits(
    alice: Person, mailbox: Mailbox
) -> None:
    token = mailed_token(alice, mailbox)
    recovery.forgot(alice)
    assert confirm(alice, token).status_code == 204
    assert "#token=" not in text_of(mailbox.only())


@pytest.mark.every_case
@pytest.mark.parametrize("is_sent", [True, False])
def test_a_new_password_voids_a_link_to_a_new_address(
    alice: Person, mailbox: Mailbox, is_sent: bool
) -> None:
    """E2; the thief of a session cannot keep the account."""
    ask(alice)
    token = mailbox.token("change-email") if is_sent else ""
    body = {"current_password": alice.password, "new_password": recovery.NEW}
    assert alice.call("PUT", "/api/me/password", json=body).status_code == 200
    assert "#token=" not in text_of(mailbox.only())
    assert_problem(confirm(alice, token), 401, "token_invalid")


def test_a_reset_voids_a_link_to_a_new_address(alice: Person, mailbox: Mailbox) -> None:
    token, link = mailed_token(alice, mailbox), recovery.mailed_token(alice, mailbox)
    assert recovery.reset(alice, link).status_code == 204
    assert_problem(confirm(alice, token), 401, "token_invalid")
    assert_problem(ask(alice, "another@new.example"), 401, "access_token_revoked")


def log_out_everywhere(alice: Person, operator: Operator) -> None:
    assert alice.call("DELETE", "/api/me/sessions").status_code == 204


def revoke_by_command(alice: Person, operator: Operator) -> None:
    assert operator.run("sessions", "revoke", alice.email).exit_code == 0


def disable_for_a_moment(alice: Person, operator: Operator) -> None:
    for command in ("disable", "enable"):
        assert operator.run("users", command, alice.email).exit_code == 0


@pytest.mark.every_case
@pytest.mark.parametrize("end", [log_out_everywhere, revoke_by_command, disable_for_a_moment])
@pytest.mark.parametrize("is_sent", [True, False])
def test_the_end_of_all_sessions_voids_a_link_to_a_new_address(
    alice: Person,
    mailbox: Mailbox,
    operator: Operator,
    mail_settings: dict[str, str],
    end: Callable[[Person, Operator], None],
    is_sent: bool,
) -> None:
    """The thief of a session, who asked for the link, does not get the account after all."""
    operator.environment |= {f"AUTHSVC_{name.upper()}": one for name, one in mail_settings.items()}
    ask(alice)
    token = mailbox.token("change-email") if is_sent else ""
    end(alice, operator)
    assert mailbox.deliver() == []
    assert_problem(confirm(alice, token), 401, "token_invalid")


def test_opening_a_link_consumes_nothing(alice: Person, mailbox: Mailbox) -> None:
    """E2; scanners of mail fetch every link."""
    token = mailed_token(alice, mailbox)
    for method in ("GET", "HEAD", "PUT"):
        answer = alice.call(method, f"/auth/email/change?token={token}")
        assert answer.status_code == 405
    assert confirm(alice, token).status_code == 204


@pytest.mark.parametrize(
    ("written", "stored", "login"),
    [
        ("Alice@Example.com", "Alice@example.com", "ALICE@example.com"),
        ("  a.b+c@New.Example\t", "a.b+c@new.example", "A.B+C@NEW.EXAMPLE"),
        ("anna@bücher.example", "anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@bücher.example", "anna@Bücher.example"),
    ],
)
def test_the_new_address_is_stored_as_written_and_logs_in_in_each_spelling(
    alice: Person,
    mailbox: Mailbox,
    connection: Connection,
    written: str,
    stored: str,
    login: str,
) -> None:
    assert ask(alice, written).status_code == 202
    token = mailbox.token("change-email")
    assert confirm(alice, token).status_code == 204
    (user,) = users(connection)
    assert (user.email, user.email_verified_at is None) == (stored, False)
    assert at(alice, login).log_in().status_code == 200


def test_the_token_is_in_no_log_and_in_no_column(
    alice: Person, mailbox: Mailbox, connection: Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    """E3."""
    token = mailed_token(alice, mailbox)
    rows = [str(row) for table in our_tables() for row in connection.execute(select(table))]
    assert [confirm(alice, token).status_code for _ in range(2)] == [204, 401]
    rows += [str(row) for table in our_tables() for row in connection.execute(select(table))]
    assert any("change" in row for row in rows)
    log = "".join(capfd.readouterr())
    assert "/auth/email/change" in log
    assert token not in log + "".join(rows)


def test_a_request_and_a_change_are_done_with_their_events_or_not_at_all(
    alice: Person, mailbox: Mailbox, connection: Connection
) -> None:
    token = mailed_token(alice, mailbox)
    before = users(connection)
    connection.execute(text("ALTER TABLE security_events RENAME TO hidden"))
    try:
        assert ask(alice, "other@new.example").status_code == 500
        assert confirm(alice, token).status_code == 500
    finally:
        connection.execute(text("ALTER TABLE hidden RENAME TO security_events"))
    assert users(connection) == before
    assert mailbox.deliver() == []
    assert confirm(alice, token).status_code == 204


def test_two_changes_in_a_row_lead_to_the_last_address(alice: Person, mailbox: Mailbox) -> None:
    for email in (NEW, "alice@third.example"):
        assert confirm(alice, mailed_token(alice, mailbox, email)).status_code == 204
        mailbox.deliver()
    assert alice.call("GET", "/api/me").json["email"] == "alice@third.example"
    assert_problem(at(alice, NEW).log_in(), 401, "invalid_credentials")
