"""POST /auth/email/verify."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection

from authsvc import clock
from authsvc.audit.record import user_at
from authsvc.database import db
from authsvc.problems import TokenInvalid
from authsvc.users import verification
from authsvc.web.client import Client
from tests.support.hash_counts import counted_hashes
from tests.support.mail_routes import (
    VERIFY,
    accounts_of,
    deliver_and_die,
    links_of,
    outbox_of,
    register,
    resend,
    verify,
)
from tests.support.mailbox import Mailbox, token_in
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, events

WRONG = "not the password of anyone"


@pytest.fixture
def alice(mail_app: Flask) -> Person:
    """Alice, whose address is not verified yet; nor need it be."""
    return Person(mail_app, "alice@example.com", "a horse that is correct").register()


@pytest.fixture
def link(alice: Person, mailbox: Mailbox) -> str:
    """The token that was mailed to Alice."""
    return mailbox.token(VERIFY)


@pytest.fixture
def carol(required_app: Flask) -> Person:
    """Carol, whose registration waits."""
    carol = Person(required_app, "carol@example.com", "a lamp that is not lit")
    assert register(carol).status_code == 202
    return carol


@pytest.fixture
def waiting(carol: Person, mailbox: Mailbox) -> str:
    """The token that was mailed to Carol."""
    return mailbox.token(VERIFY)


def kinds(connection: Connection) -> list[tuple[str, str | None]]:
    return [(event.event, event.detail) for event in events(connection)]


def is_verified(person: Person) -> bool:
    return person.logged_in().call("GET", "/api/me").json["email_verified"]


def test_an_address_is_verified_by_its_link_and_the_password(
    alice: Person, link: str, connection: Connection
) -> None:
    assert is_verified(alice) is False
    answer = verify(alice.on_another_device(), link, alice.password)
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert is_verified(alice) is True
    assert kinds(connection)[:3] == [
        ("registered", None),
        ("logged_in", None),
        ("email_verified", None),
    ]


def test_a_link_may_be_used_again_until_it_expires(
    alice: Person, link: str, connection: Connection
) -> None:
    phone = alice.on_another_device()
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        assert verify(phone, link, alice.password).status_code == 204
        (first,) = accounts_of(alice.app)
        moved.move_to(at + timedelta(hours=23, minutes=59))
        assert verify(phone, link, alice.password).status_code == 204
        assert accounts_of(alice.app) == [first]
        assert kinds(connection).count(("email_verified", None)) == 1
        moved.move_to(at + timedelta(hours=24, seconds=1))
        assert_problem(verify(phone, link, alice.password), 401, "token_invalid")


def test_a_link_alone_does_not_count(alice: Person, link: str) -> None:
    answer = verify(alice, link)
    assert_problem(answer, 401, "password_required")
    assert "WWW-Authenticate" not in answer.headers
    assert accounts_of(alice.app)[0].email_verified_at is None
    assert verify(alice, link, alice.password).status_code == 204


def test_a_live_session_of_the_account_counts_even_beside_a_wrong_password(
    alice: Person, link: str
) -> None:
    alice.logged_in()
    with counted_hashes(alice.app) as hasher:
        assert verify(alice, link).status_code == 204
        assert verify(alice, link, WRONG).status_code == 204
    assert hasher.calls == 0
    assert is_verified(alice)


def test_a_session_that_is_not_live_does_not_count(alice: Person, link: str) -> None:
    alice.logged_in()
    ended = alice.on_same_device()
    alice.log_out()
    assert_problem(verify(ended, link), 401, "password_required")
    for garbage in ("garbage", f"{ended.refresh_token}; {ended.cookie_name}=twice"):
        ended.refresh_token = garbage
        assert_problem(verify(ended, link), 401, "password_required")


def test_the_session_of_another_account_does_not_count(alice: Person, link: str) -> None:
    bob = Person(alice.app, "bob@example.com", "a staple for a battery").register().logged_in()
    assert_problem(verify(bob, link), 401, "password_required")
    assert_problem(verify(bob, link, bob.password), 401, "invalid_credentials")
    assert verify(bob, link, alice.password).status_code == 204
    assert [bool(user.email_verified_at) for user in accounts_of(alice.app)] == [True, False]


@pytest.mark.parametrize("token", ["", "unknown", "x" * 43, "\0"])
@pytest.mark.parametrize("password", [None, WRONG])
def test_an_unknown_token_is_invalid_whatever_else_comes(
    alice: Person, token: str, password: str | None
) -> None:
    alice.logged_in()
    with counted_hashes(alice.app) as hasher:
        assert_problem(verify(alice, token, password), 401, "token_invalid")
    assert hasher.calls == 0


def test_a_wrong_password_leaves_the_link_good_and_costs_one_hash(
    alice: Person, link: str, carol: Person, waiting: str
) -> None:
    for person, token in ((alice, link), (carol, waiting)):
        with counted_hashes(person.app) as hasher:
            assert_problem(verify(person, token, WRONG), 401, "invalid_credentials")
            assert hasher.calls == 1
            assert verify(person, token, person.password).status_code == 204
            assert hasher.calls == 2


def test_a_wrong_password_is_recorded_as_a_refused_login(
    alice: Person, link: str, waiting: str, connection: Connection
) -> None:
    verify(alice, link, WRONG)
    assert kinds(connection)[-1] == ("login_refused", "wrong_password")
    verify(alice, waiting, WRONG)
    assert [kinds(connection)[-1], events(connection)[-1].user_id] == [
        ("login_refused", None),
        None,
    ]


def test_wrong_passwords_are_limited_like_failed_logins(
    alice: Person, link: str, carol: Person, waiting: str
) -> None:
    for person, token in ((alice, link), (carol, waiting)):
        for _ in range(10):
            assert_problem(verify(person, token, WRONG), 401, "invalid_credentials")
        assert_problem(verify(person, token, person.password), 429, "rate_limited")
        assert_problem(person.log_in(), 429, "rate_limited")


def test_a_success_clears_no_failure(alice: Person, link: str) -> None:
    guesser = Person(alice.app, alice.email, WRONG)
    for _ in range(9):
        guesser.log_in()
    assert verify(alice, link, alice.password).status_code == 204
    assert_problem(guesser.log_in(), 401, "invalid_credentials")
    assert_problem(guesser.log_in(), 429, "rate_limited")


def test_a_disabled_account_verifies_nothing(alice: Person, link: str, operator: Operator) -> None:
    alice.logged_in()
    assert operator.run("users", "disable", alice.email).exit_code == 0
    with counted_hashes(alice.app) as hasher:
        assert_problem(verify(alice, link, alice.password), 401, "invalid_credentials")
    assert hasher.calls == 1
    assert accounts_of(alice.app)[0].email_verified_at is None


def test_a_link_to_an_address_that_the_account_has_no_more_is_invalid(
    alice: Person, link: str, operator: Operator
) -> None:
    alice.logged_in()
    done = operator.run("users", "email", alice.email, "new@example.com")
    assert done.exit_code == 0, done.output
    assert_problem(verify(alice, link), 401, "token_invalid")
    assert_problem(verify(alice, link, alice.password), 401, "token_invalid")
    assert accounts_of(alice.app)[0].email_verified_at is None


def test_after_a_password_change_the_new_password_counts(alice: Person, link: str) -> None:
    new = {"current_password": alice.password, "new_password": "a lamp that is not lit"}
    assert alice.logged_in().call("PUT", "/api/me/password", json=new).status_code == 200
    phone = alice.on_another_device()
    assert_problem(verify(phone, link, alice.password), 401, "invalid_credentials")
    assert verify(phone, link, new["new_password"]).status_code == 204


def test_a_registration_that_waits_becomes_an_account_once(
    carol: Person, waiting: str, connection: Connection
) -> None:
    assert_problem(verify(carol, waiting), 401, "password_required")
    for _ in range(2):
        assert verify(carol, waiting, carol.password).status_code == 204
    assert verify(carol.logged_in(), waiting).status_code == 204
    (user,) = accounts_of(carol.app)
    assert user.email_verified_at == user.created_at
    assert kinds(connection) == [
        ("registered", None),
        ("email_verified", None),
        ("logged_in", None),
    ]


def test_verified_at_once_by_eight_requests_there_is_one_account(
    carol: Person, waiting: str, connection: Connection
) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(
            lambda _: verify(carol, waiting, carol.password).status_code, range(8)
        )
        assert list(answers) == [204] * 8
    assert len(accounts_of(carol.app)) == 1
    assert kinds(connection) == [("registered", None), ("email_verified", None)]


def test_two_registrations_of_one_address_verified_at_once_make_one_account(
    carol: Person, waiting: str, mailbox: Mailbox
) -> None:
    other = Person(carol.app, carol.email, "a staple for a battery")
    register(other)
    both = [(carol, waiting), (other, mailbox.token(VERIFY))]
    with ThreadPoolExecutor(2) as threads:
        answers = threads.map(lambda one: verify(*one, one[0].password), both)
        found = sorted((answer.status_code, answer.data[:0]) for answer in answers)
    assert found == [(204, b""), (401, b"")]
    assert len(accounts_of(carol.app)) == 1
    assert sorted(person.log_in().status_code for person, _ in both) == [200, 401]


def test_if_there_is_an_account_by_now_the_link_is_invalid_and_nothing_changes(
    carol: Person, waiting: str, mail_app: Flask, connection: Connection
) -> None:
    other = Person(mail_app, "CAROL@example.com", "a staple for a battery").register()
    before = accounts_of(mail_app), links_of(mail_app), kinds(connection)
    assert_problem(verify(carol, waiting, carol.password), 401, "token_invalid")
    assert (accounts_of(mail_app), links_of(mail_app), kinds(connection)) == before
    assert other.log_in().status_code == 200


def test_after_the_account_is_deleted_the_link_is_invalid_and_makes_none_anew(
    carol: Person, waiting: str
) -> None:
    verify(carol, waiting, carol.password)
    deleted = carol.logged_in().call("DELETE", "/api/me", json={"password": carol.password})
    assert deleted.status_code == 204
    assert_problem(verify(carol, waiting, carol.password), 401, "token_invalid")
    assert accounts_of(carol.app) == links_of(carol.app) == []


@pytest.mark.only("sqlite")
def test_after_the_account_is_deleted_by_the_databases_shell_the_link_is_invalid(
    carol: Person, waiting: str
) -> None:
    verify(carol, waiting, carol.password)
    with carol.app.app_context():
        file = str(db.engine.url.database)
    with closing(sqlite3.connect(file)) as shell, shell:  # which enforces no foreign keys
        shell.execute("DELETE FROM users")
    assert_problem(verify(carol, waiting, carol.password), 401, "token_invalid")
    assert accounts_of(carol.app) == []


def test_an_account_that_is_verified_already_stays_as_it_is(
    alice: Person, link: str, mailbox: Mailbox, connection: Connection
) -> None:
    resend(alice)
    assert mailbox.token(VERIFY) == link
    verify(alice, link, alice.password)
    before = accounts_of(alice.app), kinds(connection)
    assert verify(alice, link, alice.password).status_code == 204
    assert (accounts_of(alice.app), kinds(connection)) == before


def test_after_a_crash_the_same_mail_is_sent_and_after_its_use_none(
    alice: Person, carol: Person, mailbox: Mailbox
) -> None:
    first = deliver_and_die(mailbox)
    files = list(mailbox.folder.glob("*.eml"))
    sent = [(file.read_bytes(), file.unlink()) for file in files]
    deliver_and_die(mailbox)
    assert [(file.read_bytes(), None) for file in files] == sent
    for person, mail in zip((alice, carol), first, strict=True):
        assert verify(person, token_in(mail, VERIFY), person.password).status_code == 204
    assert outbox_of(alice.app) == mailbox.deliver() == []


def test_fetching_the_page_or_the_route_consumes_nothing(alice: Person, link: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = alice.call(method, f"/auth/email/verify?token={link}")
        assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert links_of(alice.app)[0].used_at is None
    assert verify(alice, link, alice.password).status_code == 204


def test_a_link_that_expires_while_the_password_is_verified_makes_no_account(
    carol: Person, waiting: str, connection: Connection
) -> None:
    with carol.app.app_context():
        link = verification.find_link(waiting)
        tomorrow = clock.now() + timedelta(days=1)
        with time_machine.travel(tomorrow, tick=False), pytest.raises(TokenInvalid):
            verification.verify(link, user_at(Client()))
    assert accounts_of(carol.app) == events(connection) == []


def test_an_account_deleted_while_its_password_is_verified_is_not_verified(
    alice: Person, link: str
) -> None:
    with alice.app.app_context():
        found = verification.find_link(link)
        alice.logged_in().call("DELETE", "/api/me", json={"password": alice.password})
        with pytest.raises(TokenInvalid):
            verification.verify(found, user_at(Client()))
