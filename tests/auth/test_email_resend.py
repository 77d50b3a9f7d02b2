"""POST /auth/email/resend."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from authsvc import clock
from tests.support.mail_routes import VERIFY, outbox_of, register, resend, verify
from tests.support.mailbox import Mailbox, token_in
from tests.support.people import Person
from tests.support.recovery import forgot
from tests.support.responses import assert_problem, counted_statements, pointers

SILENCE = timedelta(minutes=5, seconds=1)


@pytest.fixture
def alice(mail_app: Flask) -> Person:
    """Alice, whose address is not verified yet."""
    return Person(mail_app, "alice@example.com", "a horse that is correct").register()


@pytest.fixture
def carol(required_app: Flask) -> Person:
    """Carol, whose registration waits."""
    carol = Person(required_app, "carol@example.com", "a lamp that is not lit")
    assert register(carol).status_code == 202
    return carol


def test_the_link_of_an_account_is_mailed_again(alice: Person, mailbox: Mailbox) -> None:
    link = mailbox.token(VERIFY)
    answer = resend(alice, "ALICE@example.com")
    assert (answer.status_code, answer.json) == (202, {})
    mail = mailbox.only()
    assert (mail["To"], token_in(mail, VERIFY)) == ("alice@example.com", link)


def test_the_link_lives_a_day_from_the_last_mail(alice: Person, mailbox: Mailbox) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        link = mailbox.token(VERIFY)
        moved.move_to(at + timedelta(hours=23))
        resend(alice)
        assert mailbox.token(VERIFY) == link
        moved.move_to(at + timedelta(hours=46))
        assert verify(alice, link, alice.password).status_code == 204


def test_an_account_whose_link_has_expired_gets_another(alice: Person, mailbox: Mailbox) -> None:
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        expired = mailbox.token(VERIFY)
        moved.move_to(at + timedelta(days=1))
        resend(alice)
        link = mailbox.token(VERIFY)
        assert_problem(verify(alice, expired, alice.password), 401, "token_invalid")
        assert verify(alice, link, alice.password).status_code == 204


def test_the_newest_of_several_waiting_registrations_is_mailed_again(
    carol: Person, mailbox: Mailbox
) -> None:
    newer = Person(carol.app, carol.email, "a staple for a battery")
    register(newer)
    links = {token_in(mail, VERIFY) for mail in mailbox.deliver()}
    resend(carol)
    link = mailbox.token(VERIFY)
    assert len(links) == 2
    assert link in links
    assert verify(newer, link, newer.password).status_code == 204


def test_a_verified_a_disabled_and_an_unknown_address_get_no_mail(
    alice: Person, carol: Person, mailbox: Mailbox
) -> None:
    alice_mail, carol_mail = mailbox.deliver()
    verify(alice, token_in(alice_mail, VERIFY), alice.password)
    verify(carol, token_in(carol_mail, VERIFY), carol.password)
    for email in (alice.email, carol.email, "unknown@example.com"):
        assert resend(alice, email).status_code == 202
    assert mailbox.deliver() == outbox_of(alice.app) == []


def test_every_address_gets_the_same_answer_from_the_same_statements(
    alice: Person, carol: Person, mailbox: Mailbox
) -> None:
    verify(carol, token_in(mailbox.deliver()[-1], VERIFY), carol.password)
    answers, statements = [], []
    for email in (alice.email, carol.email, "unknown@example.com"):
        with counted_statements(alice.app) as counted:
            answers.append(resend(alice, email))
        statements.append(counted)
    assert [answer.json for answer in answers] == [{}] * 3
    assert len({tuple(sorted(answer.headers.keys())) for answer in answers}) == 1
    assert statements == [["SELECT", "INSERT", "DELETE", "INSERT"]] * 3  # counts, mail


def test_a_second_request_within_five_minutes_sends_no_second_mail(
    alice: Person, mailbox: Mailbox
) -> None:
    mailbox.deliver()
    at = clock.now()
    with time_machine.travel(at, tick=False) as moved:
        assert [resend(alice).status_code for _ in range(2)] == [202, 202]
        assert len(mailbox.deliver()) == 1
        assert forgot(alice).status_code == 202
        assert len(mailbox.deliver()) == 1  # of another kind
        moved.move_to(at + SILENCE)
        resend(alice)
        assert len(mailbox.deliver()) == 1


def test_the_sixth_request_of_an_address_within_an_hour_is_refused_with_forgot_counted(
    alice: Person,
) -> None:
    asked = [resend(alice), forgot(alice), resend(alice), forgot(alice), resend(alice)]
    assert [answer.status_code for answer in asked] == [202] * 5
    assert_problem(resend(alice, "Alice@EXAMPLE.com"), 429, "rate_limited")
    assert_problem(forgot(alice), 429, "rate_limited")
    assert resend(alice, "other@example.com").status_code == 202


def test_an_invalid_address_is_refused(alice: Person) -> None:
    assert pointers(resend(alice, "alice")) == ["/email"]
