"""The mails about factors, from the change to the mailbox."""

import pytest
from flask import Flask

from authsvc.database import writing
from authsvc.factors.news import News, tell
from authsvc.mail.outbox import Outbox
from authsvc.web import registry
from tests.support.mailbox import Mailbox, html_of, text_of
from tests.support.people import Person
from tests.support.second_factors import id_of


@pytest.fixture
def owner(mail_app: Flask, mailbox: Mailbox) -> Person:
    """Alice, whose registration's mails were delivered."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    return alice


@pytest.mark.parametrize(
    ("news", "factor", "said"),
    [
        ("factor_added", "totp", "An authenticator app was added to your account"),
        ("factor_added", "passkey", "A passkey was added to your account"),
        ("factor_removed", "totp", "Your authenticator app was removed from your account"),
        ("factor_removed", "passkey", "A passkey was removed from your account"),
        ("factor_removed", "all", "All second factors, with their recovery codes, were removed"),
        ("recovery_codes_replaced", None, "New recovery codes were made for your account"),
        ("recovery_code_used", None, "A recovery code was used to log in to your account"),
    ],
)
def test_the_owner_gets_a_mail_that_says_what_happened_and_what_to_do(
    owner: Person, mailbox: Mailbox, news: News, factor: str | None, said: str
) -> None:
    detail = None if factor is None else {"factor": factor}
    with owner.app.app_context(), writing() as connection:
        tell(connection, registry.get(Outbox), news, id_of(owner), detail)
    mail = mailbox.only()
    assert mail["To"] == owner.email
    assert text_of(mail).startswith(said)
    assert "https://app.example.com" in html_of(mail)


def test_a_mail_about_an_account_that_is_gone_is_not_sent(owner: Person, mailbox: Mailbox) -> None:
    owner.logged_in()
    mailbox.deliver()
    with owner.app.app_context(), writing() as connection:
        tell(connection, registry.get(Outbox), "recovery_codes_replaced", id_of(owner))
    body = {"password": owner.password}
    assert owner.call("DELETE", "/api/me", json=body).status_code == 204
    assert mailbox.deliver() == []
