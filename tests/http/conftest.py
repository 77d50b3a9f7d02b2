"""A running service for the tests of this folder, and raw sockets to it.

Tests that use it run under both servers where their module is marked `both_servers`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.http.raw import Answer, Connection, request
from tests.support.running_service import Service, new_database, serving

CREDENTIALS = {"email": "alice@example.com", "password": "a horse that is correct"}
BODY = json.dumps(CREDENTIALS).encode()
JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Session:
    """The two tokens of one of Alice's logins."""

    access_token: str
    refresh_token: str

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.access_token}"

    @property
    def cookie(self) -> str:
        return f"Cookie: __Host-refresh_token={self.refresh_token}"


@pytest.fixture(scope="package")
def service_database(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a database of its own for each server."""
    return new_database(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="package")
def service(
    service_database: str, wsgi_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    output = tmp_path_factory.mktemp("service") / "output"
    settings = {"rate_limit_factor": "1000"}
    with serving(service_database, output, server=wsgi_server, workers=1, **settings) as service:
        yield service


@pytest.fixture(scope="package")
def registered(service: Service) -> Answer:
    with Connection(service.port) as connection:
        answer = connection.ask(request("POST /auth/register", JSON, body=BODY))
    assert answer.status == 201
    return answer


@pytest.fixture
def log_in(service: Service, registered: Answer) -> Callable[..., Session]:
    """A function that logs Alice in again; its arguments are further header lines."""

    def log_in(*lines: str) -> Session:
        with Connection(service.port) as connection:
            answer = connection.ask(request("POST /auth/login", JSON, *lines, body=BODY))
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return Session(answer.json["access_token"], cookie.partition("=")[2])

    return log_in
