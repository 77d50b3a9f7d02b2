"""A stranger registers the address of another person, and gains nothing by it (E6)."""

import pytest
from flask import Flask

from tests.support.mail_routes import VERIFY, accounts_of, links_of, register, verify
from tests.support.mailbox import Mailbox, text_of
from tests.support.people import Person
from tests.support.recovery import mailed_token, reset
from tests.support.responses import assert_problem

ADDRESS = "victim@example.com"
OF_STRANGER, OF_VICTIM = "the password of a stranger", "a lamp that is not lit"


@pytest.fixture
def stranger(required_app: Flask) -> Person:
    stranger = Person(required_app, ADDRESS, OF_STRANGER)
    assert register(stranger).status_code == 202
    return stranger


@pytest.fixture
def victim(required_app: Flask) -> Person:
    return Person(required_app, ADDRESS, OF_VICTIM)


def test_the_victim_who_opens_the_strangers_link_makes_no_account(
    stranger: Person, victim: Person, mailbox: Mailbox
) -> None:
    link = mailbox.token(VERIFY)
    assert_problem(verify(victim, link), 401, "password_required")
    assert_problem(verify(victim, link, OF_VICTIM), 401, "invalid_credentials")
    assert_problem(stranger.log_in(), 401, "invalid_credentials")
    assert accounts_of(victim.app) == []


@pytest.mark.parametrize("victim_is_first", [True, False])
def test_the_victims_own_link_makes_her_account_and_the_strangers_is_dead(
    victim: Person, required_app: Flask, mailbox: Mailbox, victim_is_first: bool
) -> None:
    stranger = Person(required_app, ADDRESS, OF_STRANGER)
    links = {}
    for person in (victim, stranger) if victim_is_first else (stranger, victim):
        register(person)
        links[person] = mailbox.token(VERIFY)
    assert verify(victim, links[victim], OF_VICTIM).status_code == 204
    for password in (OF_STRANGER, OF_VICTIM):
        assert_problem(verify(stranger, links[stranger], password), 401, "token_invalid")
    assert_problem(stranger.log_in(), 401, "invalid_credentials")
    assert victim.log_in().status_code == 200
    assert len(accounts_of(victim.app)) == len(links_of(victim.app)) == 1


def test_a_strangers_registration_that_is_not_mailed_yet_sends_the_victim_no_link(
    victim: Person, required_app: Flask, mailbox: Mailbox
) -> None:
    register(victim)
    link = mailbox.token(VERIFY)
    register(Person(required_app, ADDRESS, OF_STRANGER))
    assert verify(victim, link, OF_VICTIM).status_code == 204
    assert mailbox.deliver() == []


def test_the_session_of_another_account_completes_no_registration(
    stranger: Person, mail_app: Flask, mailbox: Mailbox
) -> None:
    link = mailbox.token(VERIFY)
    bob = Person(mail_app, "bob@example.com", "a staple for a battery").register().logged_in()
    assert_problem(verify(bob, link), 401, "password_required")
    assert len(accounts_of(mail_app)) == 1


def test_where_verification_is_optional_a_reset_gives_the_account_to_the_owner_of_the_address(
    mail_app: Flask, mailbox: Mailbox
) -> None:
    stranger = Person(mail_app, ADDRESS, OF_STRANGER).register().logged_in()
    link = mailbox.token(VERIFY)
    victim = Person(mail_app, ADDRESS, OF_VICTIM)
    assert_problem(verify(victim, link), 401, "password_required")
    assert reset(victim, mailed_token(victim, mailbox), OF_VICTIM).status_code == 204
    assert_problem(stranger.refresh(), 401, "refresh_token_revoked")
    assert_problem(stranger.log_in(), 401, "invalid_credentials")
    assert victim.logged_in().call("GET", "/api/me").json["email_verified"] is True


def test_twenty_registrations_of_a_stranger_do_not_hinder_the_owner_of_the_account(
    stranger: Person, required_app: Flask, mail_app: Flask, mailbox: Mailbox
) -> None:
    victim = Person(mail_app, ADDRESS, OF_VICTIM).register().logged_in()
    mailbox.deliver()
    for _ in range(18):
        assert register(stranger).status_code == 202
    mails = mailbox.deliver()
    assert len(mails) == 18
    assert not any("#token=" in text_of(mail) for mail in mails)
    assert victim.refresh().status_code == victim.log_in().status_code == 200
    assert reset(victim, mailed_token(victim, mailbox), "a new lamp that is lit").status_code == 204
