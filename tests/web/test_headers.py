"""The headers of every response."""

import re

import pytest
from flask import Flask, Response

from authsvc.guard import public
from authsvc.web.headers import request_id
from tests.conftest import MakeApp
from tests.support.people import Person

ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
ANSWERS = [
    ("GET", "/healthz", 200),
    ("GET", "/api/me", 401),
    ("GET", "/nowhere", 404),
    ("GET", "/auth/login", 405),
    ("OPTIONS", "/auth/login", 200),
    ("POST", "/auth/login", 415),
    ("POST", "/auth/logout", 204),
    ("POST", "/auth/refresh", 401),
    ("HEAD", "/healthz", 200),
    ("GET", "/own/broken", 500),
    ("GET", "/own/slashed", 308),
    ("GET", "/own/page", 200),
]


def broken() -> str:
    raise RuntimeError("the secret of a stack trace")


def page() -> Response:
    """A page of an operator, with its own policy and cache lifetime."""
    headers = {"content-security-policy": "default-src 'self'", "Cache-Control": "max-age=60"}
    return Response("<p>", headers=headers)


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    app = make_app()
    app.get("/own/broken")(public(broken))
    app.get("/own/slashed/")(public(lambda: ""))
    app.get("/own/page")(public(page))
    return app


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_response_has_them(extended: Flask, method: str, path: str, status: int) -> None:
    answer = extended.test_client().open(path, method=method)
    assert answer.status_code == status
    expected = dict(ALWAYS)
    if path == "/own/page":
        expected["Content-Security-Policy"] = "default-src 'self'"
        expected["Cache-Control"] = "max-age=60"
    for name, value in expected.items():
        assert answer.headers.getlist(name) == [value]
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])
    assert "Strict-Transport-Security" not in answer.headers
    assert "Server" not in answer.headers


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 64])
def test_a_sane_request_id_is_kept(app: Flask, sent: str) -> None:
    answer = app.test_client().get("/healthz", headers={"X-Request-ID": sent})
    assert answer.headers.getlist("X-Request-ID") == [sent]


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a\u00e9", "<script>", "a,b", "a\u0662"])
def test_another_request_id_is_replaced(app: Flask, sent: str) -> None:
    latin = sent.encode().decode("latin-1")
    answer = app.test_client().get("/healthz", headers={"X-Request-ID": latin})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_each_request_has_an_id_of_its_own(app: Flask) -> None:
    ids = {app.test_client().get("/healthz").headers["X-Request-ID"] for _ in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize("path", ["/healthz", "/api/me", "/nowhere"])
def test_a_response_over_https_has_hsts(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, base_url="https://localhost")
    assert answer.headers.getlist("Strict-Transport-Security") == ["max-age=31536000"]


def test_hsts_includes_subdomains_only_if_the_setting_says_so(make_app: MakeApp) -> None:
    """Issue 14, number 18."""
    client = make_app(hsts_include_subdomains=True).test_client()
    answer = client.get("/healthz", base_url="https://localhost")
    assert answer.headers.getlist("Strict-Transport-Security") == [
        "max-age=31536000; includeSubDomains"
    ]


def test_no_forwarded_header_makes_http_https(app: Flask) -> None:
    sent = {"X-Forwarded-Proto": "https", "Forwarded": "proto=https"}
    answer = app.test_client().get("/healthz", headers=sent)
    assert "Strict-Transport-Security" not in answer.headers


def test_a_trusted_proxy_reports_https(make_app: MakeApp) -> None:
    client = make_app(trusted_proxies=1).test_client()
    answer = client.get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in answer.headers


def test_a_response_without_content_has_no_content_type(alice: Person) -> None:
    assert "Content-Type" not in alice.logged_in().log_out().headers


def test_a_view_can_read_the_request_id_of_its_response(make_app: MakeApp) -> None:
    app = make_app()
    app.add_url_rule("/id", view_func=public(lambda: {"id": request_id()}))
    answer = app.test_client().get("/id")
    assert answer.json == {"id": answer.headers["X-Request-ID"]}
