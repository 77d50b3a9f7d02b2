"""The mails about factors, from the change to the mailbox."""

from collections.abc import Callable

import pytest
from flask import Flask
from pyotp import TOTP
from sqlalchemy import Connection, text

from tests.support.mailbox import Mailbox, html_of, text_of
from tests.support.passkeys import add_passkey
from tests.support.people import Person
from tests.support.second_factors import give_recovery_codes, give_totp

Change = Callable[[Person], list[str]]
"""Changes the factors of a person, and returns what no mail may contain."""


@pytest.fixture
def owner(mail_app: Flask, mailbox: Mailbox, connection: Connection) -> Person:
    """Alice, whose address is verified, and who has logged in; these mails were delivered."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))
    alice.logged_in()
    mailbox.deliver()
    return alice


def add_app(person: Person) -> list[str]:
    secret = person.call("POST", "/api/me/totp", json={}).json["secret"]
    code = TOTP(secret).now()
    answer = person.call("PUT", "/api/me/totp", json={"code": code})
    assert answer.status_code == 200, answer.json
    return [secret, code, *answer.json["recovery_codes"]]


def remove_app(person: Person) -> list[str]:
    hidden = add_app(person)
    assert person.call("DELETE", "/api/me/totp").status_code == 204
    return hidden


def add_phone(person: Person) -> list[str]:
    return [add_passkey(person).id]


def remove_phone(person: Person) -> list[str]:
    hidden = add_phone(person)
    (passkey,) = person.call("GET", "/api/me/factors").json["passkeys"]
    assert person.call("DELETE", f"/api/me/passkeys/{passkey['id']}").status_code == 204
    return hidden


def replace_codes(person: Person) -> list[str]:
    hidden = add_app(person)
    answer = person.call("POST", "/api/me/recovery-codes", json={})
    assert answer.status_code == 200, answer.json
    return [*hidden, *answer.json["recovery_codes"]]


def use_code(person: Person) -> list[str]:
    give_totp(person)
    code, *others = give_recovery_codes(person)
    body = person.credentials | {"recovery_code": code}
    assert person.call("POST", "/auth/login", json=body).status_code == 200
    return [code, *others]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add_app, "An authenticator app was added to your account"),
        (remove_app, "Your authenticator app was removed from your account"),
        (add_phone, "A passkey was added to your account"),
        (remove_phone, "A passkey was removed from your account"),
        (replace_codes, "New recovery codes were made for your account"),
        (use_code, "A recovery code was used to log in to your account"),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_the_owner_gets_a_mail_that_says_what_happened_and_what_to_do(
    owner: Person, mailbox: Mailbox, change: Change, said: str
) -> None:
    hidden = change(owner)
    mails = mailbox.deliver()
    assert {str(mail["To"]) for mail in mails} == {owner.email}
    (mail,) = (mail for mail in mails if text_of(mail).startswith(said))
    assert "If it was not you" in text_of(mail)
    assert "https://app.example.com" in html_of(mail)
    for body in [text_of(mail) for mail in mails] + [html_of(mail) for mail in mails]:
        assert not any(secret in body for secret in hidden)


def test_a_mail_about_an_account_that_is_gone_is_not_sent(owner: Person, mailbox: Mailbox) -> None:
    add_phone(owner)
    body = {"password": owner.password}
    assert owner.call("DELETE", "/api/me", json=body).status_code == 204
    assert mailbox.deliver() == []
