"""Issue 14.19, A5: one canonical form of an e-mail address, at every door."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from authsvc.problems import ValidationFailed
from authsvc.users.emails import checked_email, email_key
from tests.support.operator_commands import Operator
from tests.support.people import Person

PASSWORD = "a lantern for the cellar"
CLIENTS = 12


def register(app: Flask, email: str) -> int:
    """Register, and retry while too many passwords are being hashed; return the status."""
    while True:
        sent = {"email": email, "password": PASSWORD}
        answer = app.test_client().post("/auth/register", json=sent)
        if answer.status_code != 503:
            return answer.status_code


def log_in(app: Flask, email: str, password: str = PASSWORD) -> int:
    return Person(app, email, password).log_in().status_code


def test_concurrent_registrations_of_one_address_give_one_201_and_otherwise_409(app: Flask) -> None:
    spellings = ["frank@example.com", "Frank@Example.com", "FRANK@EXAMPLE.COM"]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(lambda turn: register(app, spellings[turn % 3]), range(CLIENTS))
        assert sorted(answers) == [201] + [409] * (CLIENTS - 1)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        ("Frank@example.com", "frank@EXAMPLE.com"),
        ("frank@example.com", "FRANK@example.com"),
        ("j\u00fcrgen@example.com", "JU\u0308RGEN@example.com"),
        ("stra\u00dfe@example.com", "Stra\u1e9ee@example.com"),
        ("anna@xn--bcher-kva.example", "anna@b\u00fccher.example"),
        ("anna@b\u00fccher.example", "anna@XN--BCHER-KVA.example"),
        ("anna@\uff22\u00dccher.example", "anna@bu\u0308cher.example"),
        ("ken@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com", "ken@example.com"),
        ("ken@example\u3002com", "ken@example.com"),
        (" frank@example.com\t", "frank@example.com\r\n"),
        ("\u0130rem@example.com", "i\u0307rem@example.com"),
        ("irem@\u0130.example", "irem@i\u0307.example"),
    ],
)
def test_spellings_of_one_address_are_one_account(app: Flask, registered: str, typed: str) -> None:
    assert register(app, registered) == 201
    assert [log_in(app, email) for email in (registered, typed)] == [200, 200]
    assert register(app, typed) == 409


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("registered", "other"),
    [
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("anna@stra\u00dfe.example", "anna@strasse.example"),
        ("\u0131rem@example.com", "irem@example.com"),
        ("\ufb01ona@example.com", "fiona@example.com"),
        ("frank\u0307@example.com", "frank@example.com"),
    ],
)
def test_addresses_that_only_fold_alike_are_two_accounts(
    app: Flask, registered: str, other: str
) -> None:
    assert register(app, registered) == 201
    assert log_in(app, other) == 401
    assert register(app, other) == 201
    assert log_in(app, registered, "not the password of either") == 401


@pytest.mark.parametrize(
    "text",
    ["", "@", "nul\0@example.com", "a@" + "\u00fc" * 2000, "a@xn--\u00fc", "a@b@\u3002", "\u00df"],
)
def test_any_text_that_is_not_an_address_is_401_at_login(app: Flask, text: str) -> None:
    assert log_in(app, text) == 401


def test_spellings_of_one_address_share_their_limit(app: Flask) -> None:
    spellings = ["anna@b\u00fccher.example", " Anna@xn--bcher-kva.example "]
    statuses = [log_in(app, spellings[turn % 2]) for turn in range(11)]
    assert statuses == [401] * 10 + [429]


def test_commands_take_any_spelling(app: Flask, operator: Operator) -> None:
    created = operator.run("users", "create", " anna@xn--bcher-kva.example", typed=PASSWORD)
    assert created.exit_code == 0, created.output
    assert log_in(app, "anna@b\u00fccher.example") == 200
    assert operator.run("users", "disable", "ANNA@b\u00fccher\u3002example").exit_code == 0
    assert log_in(app, "anna@b\u00fccher.example") == 401


letters = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=6)
labels = letters | st.sampled_from(
    ["xn--bcher-kva", "EXAMPLE", "stra\u00dfe", "\u0130", "a\u200db"]
)


@given(local=letters, domain=st.lists(labels, min_size=1, max_size=2))
def test_the_text_that_registers_and_the_stored_address_have_one_key(
    local: str, domain: list[str]
) -> None:
    typed = f"{local}@{'.'.join([*domain, 'example'])}"
    try:
        stored, key = checked_email(typed)
    except ValidationFailed:
        return
    assert key == email_key(typed) == email_key(stored) == email_key(key)


@given(st.text())
def test_every_text_has_a_key_that_both_databases_store(text: str) -> None:
    key = email_key(text)
    assert email_key(f"\t{text} ") == key == unicodedata.normalize("NFC", key)
    assert "\0" not in key
    key.encode()
