"""Issue 14, number 12: who may read /metrics without the token."""

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.http.raw import Connection, request
from tests.support.responses import assert_problem
from tests.support.running_service import new_database, serving

TOKEN = "the-token-of-the-metrics-1234567"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def fresh(make_app: MakeApp) -> Flask:
    """An app that has not seen a proxy."""
    return make_app(metrics_token=TOKEN)


def read(app: Flask, **kwargs: object) -> TestResponse:
    return app.test_client().get("/metrics", **kwargs)


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::ffff:7f00:1", "127.0.0.1", "::1"])
def test_this_machine_may_read_them_at_a_socket_of_both_kinds(fresh: Flask, address: str) -> None:
    """A service bound to [::] sees IPv4 clients under IPv4-mapped addresses."""
    assert read(fresh, environ_base={"REMOTE_ADDR": address}).status_code == 200


def test_another_machine_may_not_at_such_a_socket(fresh: Flask) -> None:
    answer = read(fresh, environ_base={"REMOTE_ADDR": "::ffff:10.0.0.1"})
    assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"],
)
@pytest.mark.parametrize("hops", [0, 1])
def test_once_a_request_came_through_a_proxy_every_client_needs_the_token(
    make_app: MakeApp, name: str, hops: int
) -> None:
    app = make_app(metrics_token=TOKEN, trusted_proxies=hops)
    assert read(app).status_code == 200
    app.test_client().get("/healthz", headers={name: "203.0.113.9"})
    assert_problem(read(app), 403, "forbidden")
    assert read(app, headers=BEARER).status_code == 200


def test_with_a_public_issuer_every_client_needs_the_token(make_app: MakeApp) -> None:
    app = make_app(metrics_token=TOKEN, issuer="https://auth.example.com")
    assert_problem(read(app), 403, "forbidden")
    assert read(app, headers=BEARER).status_code == 200
    for issuer in ("http://auth.example.com", "https://localhost", None):
        assert read(make_app(issuer=issuer)).status_code == 200


@pytest.mark.parametrize("host", ["auth.example.com", "localhost.attacker.example", "", "a b"])
def test_a_request_for_another_host_came_through_a_proxy(fresh: Flask, host: str) -> None:
    assert_problem(read(fresh, headers={"Host": host}), 403, "forbidden")
    assert read(fresh, headers={"Host": host, **BEARER}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_a_host_of_this_machine_is_accepted(fresh: Flask, host: str) -> None:
    assert read(fresh, headers={"Host": host}).status_code == 200


def test_http_1_0_is_how_nginx_forwards(fresh: Flask) -> None:
    old = {"SERVER_PROTOCOL": "HTTP/1.0"}
    assert_problem(read(fresh, environ_overrides=old), 403, "forbidden")
    assert read(fresh, environ_overrides=old, headers=BEARER).status_code == 200


def test_all_workers_know_that_one_of_them_saw_a_proxy(tmp_path: Path) -> None:
    with serving(new_database(tmp_path), tmp_path / "output", workers=3) as service:
        assert statuses_of_metrics(service.port) == {200}
        with Connection(service.port) as connection:
            connection.ask(request("GET /healthz", "X-Forwarded-For: 203.0.113.9"))
        assert statuses_of_metrics(service.port) == {403}


def statuses_of_metrics(port: int) -> set[int]:
    """Return the statuses of many requests, each over a new connection, so to any worker."""
    statuses = set()
    for _ in range(30):
        with Connection(port) as connection:
            statuses.add(connection.ask(request("GET /metrics")).status)
    return statuses
