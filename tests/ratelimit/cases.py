"""Logins that fail, from any address."""

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.people import Person

HOME = "192.0.2.1"


def attempt(
    app: Flask, email: str, password: str = "this is the wrong one", address: str = HOME
) -> TestResponse:
    """Log in once, by default with the wrong password."""
    person = Person(app, email, password)
    return person.call(
        "POST", "/auth/login", json=person.credentials, environ_base={"REMOTE_ADDR": address}
    )


def statuses(app: Flask, email: str, times: int, address: str = HOME) -> set[int]:
    """Return the statuses of that many failing logins."""
    return {attempt(app, email, address=address).status_code for _ in range(times)}


def assert_limited(answer: TestResponse, at_least: int, at_most: int) -> None:
    """Assert that it is the contract's 429, with a wait between these seconds."""
    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "rate_limited"
    assert at_least <= int(answer.headers["Retry-After"]) <= at_most
