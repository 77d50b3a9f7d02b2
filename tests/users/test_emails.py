"""One canonical form of an e-mail address, unique in the database (A5)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

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


def test_concurrent_registrations_of_one_address_give_one_201_and_otherwise_409(app: Flask) -> None:
    spellings = ["frank@example.com", "Frank@Example.com", "FRANK@EXAMPLE.COM"]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(lambda turn: register(app, spellings[turn % 3]), range(CLIENTS))
        assert sorted(answers) == [201] + [409] * (CLIENTS - 1)


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        ("Frank@example.com", "frank@EXAMPLE.com"),
        ("frank@example.com", "FRANK@example.com"),
        ("j\u00fcrgen@example.com", "JU\u0308RGEN@example.com"),
        ("stra\u00dfe@example.com", "STRASSE@example.com"),
    ],
)
def test_spellings_of_one_address_are_one_account(app: Flask, registered: str, typed: str) -> None:
    assert register(app, registered) == 201
    assert register(app, typed) == 409
    assert Person(app, typed, PASSWORD).log_in().status_code == 200
