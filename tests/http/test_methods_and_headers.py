"""H1: every response has the contract's headers and no version; other methods are a problem."""

import pytest
from flask import Flask

from tests.http.raw import Connection, request
from tests.support.people import Person
from tests.support.running_service import Service

pytestmark = pytest.mark.both_servers

EVERYWHERE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
UNKNOWN = ["TRACE", "TRACK", "CONNECT", "PROPFIND", "PATCH", "FOO", "M-SEARCH"]
AUTH = ["/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"]
MAIL = [f"/auth/password/{verb}" for verb in ("forgot", "reset")]
MAIL += [f"/auth/email/{verb}" for verb in ("verify", "change", "resend")]
API = ["/api/me", "/api/me/email", "/api/me/password", "/api/me/sessions", "/api/me/factors"]
API += ["/api/me/totp", "/api/me/recovery-codes", "/api/me/passkeys"]


@pytest.mark.parametrize("path", [*AUTH, *MAIL, *API, "/healthz", "/readyz"])
@pytest.mark.parametrize("method", UNKNOWN)
def test_another_method_is_a_problem_405(mail_app: Flask, path: str, method: str) -> None:
    answer = mail_app.test_client().open(path, method=method)
    assert answer.status_code == 405
    assert answer.json["code"] == "method_not_allowed"
    assert answer.headers["Allow"]
    assert_headers(dict(answer.headers))


@pytest.mark.parametrize("path", AUTH)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_the_auth_routes_take_post_alone(alice: Person, path: str, method: str) -> None:
    alice.logged_in()
    answer = alice.call(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "Set-Cookie" not in answer.headers
    assert alice.refresh().status_code == 200


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/nothing", "/api/me", "/auth/login"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE"])
def test_every_response_has_the_headers(app: Flask, target: str, method: str) -> None:
    plain = app.test_client().open(target, method=method)
    assert_headers(dict(plain.headers))
    assert "Strict-Transport-Security" not in plain.headers
    secure = app.test_client().open(target, method=method, base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_sane_request_id_is_kept_and_no_other(app: Flask) -> None:
    client = app.test_client()
    for sane in ("a", "A.b_c-9", "x" * 64):
        assert (
            client.get("/healthz", headers={"X-Request-ID": sane}).headers["X-Request-ID"] == sane
        )
    for odd in ("", "a b", "x" * 65, "é", "a\x1b", "a,b", "a\x85", "<a>"):
        kept = client.get("/healthz", headers={"X-Request-ID": odd}).headers["X-Request-ID"]
        assert kept != odd
        assert kept.isalnum()


METHODS_ON_THE_WIRE = ["TRACE", "TRACK", "CONNECT", "PROPFIND", "M-SEARCH", "FOOBAR"]


@pytest.mark.parametrize("method", METHODS_ON_THE_WIRE)
def test_the_server_passes_other_methods_to_a_problem(service: Service, method: str) -> None:
    secret = "Cookie: a=trace-canary"
    with Connection(service.port) as connection:
        answer = connection.answers(request(f"{method} /auth/login", secret))[0]
    assert answer.status == 405
    assert answer.json["code"] == "method_not_allowed"
    assert b"trace-canary" not in answer.body


@pytest.mark.parametrize(
    "sent",
    [
        request("GET /healthz"),
        request("GET /nothing"),
        request("POST /auth/refresh"),
        request("GET /healthz", "Host: again"),
        request("GET /healthz", "X Y: z"),
        request("GET /" + "a" * 9000),
        b"\r\n\r\n\r\n",
    ],
    ids=["200", "404", "401", "two hosts", "a bad name", "a long line", "no request"],
)
def test_no_response_reveals_a_version(service: Service, sent: bytes) -> None:
    with Connection(service.port) as connection:
        for answer in connection.answers(sent):
            server = answer.headers.get("server", "")
            assert not any(character.isdigit() for character in server)
            text = str(answer.headers).lower() + answer.body.decode().lower()
            for name in ("werkzeug", "python", "flask", "traceback", "gunicorn/"):
                assert name not in text


def assert_headers(headers: dict[str, str]) -> None:
    assert EVERYWHERE.items() <= headers.items()
    assert headers["X-Request-ID"]
    if headers.get("Content-Length") != "0":
        assert headers["Content-Type"] in ("application/json", "application/problem+json")
