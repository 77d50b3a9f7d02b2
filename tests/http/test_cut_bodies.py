"""Issue 14, number 14: a body that ends before its Content-Length is 400, and is not an attempt."""

import json
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

BODY = b'{"email": "alice@example.com", "password": "a guess that is wrong"}'


class NeverUsed(Argon2id):
    """A hasher that must not compute anything."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        raise AssertionError("a hash was computed")


def send(app: Flask, path: str, body: bytes, length: int) -> TestResponse:
    """Send a body with another Content-Length; the connection ends after it."""
    return app.test_client().open(
        path,
        method="POST",
        input_stream=BytesIO(body),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": str(length)},
    )


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/introspect"])
@pytest.mark.parametrize("missing", [1, 10_000])
def test_it_is_refused_as_an_invalid_request(app: Flask, path: str, missing: int) -> None:
    answer = send(app, path, BODY, len(BODY) + missing)
    assert_problem(answer, 400, "invalid_request")


def test_no_failure_is_counted_and_no_hash_is_computed(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    app = make_app()
    registry.add(app, Passwords(15, NeverUsed(time_cost=1, memory_cost=8)))
    rows = text("SELECT count(*) FROM rate_limits")
    before = connection.execute(rows).scalar()
    for _ in range(12):
        assert_problem(send(app, "/auth/login", BODY, len(BODY) + 1), 400, "invalid_request")
    assert connection.execute(rows).scalar() == before
    assert alice.log_in().status_code == 200


def test_a_body_of_its_declared_length_is_read(alice: Person) -> None:
    body = json.dumps(alice.credentials).encode()
    assert send(alice.app, "/auth/login", body, len(body)).status_code == 200
