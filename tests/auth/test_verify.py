"""/auth/verify: what proxies ask, with the method, path and body of any request."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from werkzeug.test import TestResponse

from authsvc import clock
from tests.conftest import MakeApp
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "X-OWN"]
PATHS = [
    "/",
    "//",
    "/notes/7",
    "/notes/7/",
    "//notes",
    "/notes//7",
    "/../notes",
    "/%2e%2e%2fapi/me",
    "/a%2Fb",
    "/a%0Ab",
    "/%0A",
    "/%FF%00",
    "/%C3%BC",
    "/a|b",
    "/login",
    "/" + "x" * 2000,
]
STRANGER = "https://attacker.example"


def verify(person: Person, method: str = "GET", below: str = "", **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.call(method, f"/auth/verify{below}", headers=sent)


def bearer(person: Person) -> str:
    return f"Bearer {person.access_token}"


def assert_names(answer: TestResponse, person: Person) -> None:
    expected = claims(person.access_token)
    assert (answer.status_code, answer.data) == (200, b""), answer.text
    assert answer.headers.getlist("X-Auth-Subject") == [expected["sub"]]
    assert answer.headers.getlist("X-Auth-Session") == [expected["sid"]]
    assert answer.headers.getlist("X-Auth-Roles") == [" ".join(expected.get("roles", []))]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_and_path_is_200_and_names_the_person_and_the_session(
    alice: Person, method: str
) -> None:
    alice.logged_in()
    for below in ["", *PATHS]:
        answer = verify(alice, method, below, Authorization=bearer(alice))
        assert_names(answer, alice)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Type" not in answer.headers
        assert_problem_or_head(verify(alice, method, below), method)


def assert_problem_or_head(answer: TestResponse, method: str) -> None:
    if method == "HEAD":
        assert answer.status_code == 401
    else:
        assert_problem(answer, 401, "access_token_missing")
    assert not [name for name, _ in answer.headers if name.startswith("X-Auth")]


def test_every_character_may_be_in_the_path(alice: Person) -> None:
    alice.logged_in()
    for number in range(256):
        answer = verify(alice, below="/" + quote(bytes([number])), Authorization=bearer(alice))
        assert_names(answer, alice)


def test_a_path_that_only_begins_alike_is_404(alice: Person) -> None:
    answer = verify(alice.logged_in(), below="x", Authorization=bearer(alice))
    assert_problem(answer, 404, "not_found")


def test_roles_are_named_with_spaces_between_them(alice: Person, operator: Operator) -> None:
    operator.run("users", "grant", alice.email, "admin", "notes:write")
    answer = verify(alice.logged_in(), Authorization=bearer(alice))
    assert answer.headers.getlist("X-Auth-Roles") == ["admin notes:write"]


def test_without_roles_the_header_is_sent_empty_so_that_a_proxy_replaces_a_forged_one(
    alice: Person,
) -> None:
    forged = {"X-Auth-Subject": "mallory", "X-Auth-Session": "stolen", "X-Auth-Roles": "admin"}
    answer = verify(alice.logged_in(), Authorization=bearer(alice), **forged)
    assert_names(answer, alice)
    assert answer.headers.getlist("X-Auth-Roles") == [""]


def test_other_tokens_get_the_problems_of_a_protected_route(alice: Person) -> None:
    alice.logged_in()
    sent = bearer(alice)
    for method in ("GET", "POST"):
        answer = verify(alice, method, "/notes", Authorization="Bearer a.b.c")
        assert_problem(answer, 401, "access_token_invalid")
        answer = verify(alice, method, "/notes", Authorization=f"{sent}, {sent}")
        assert_problem(answer, 400, "invalid_request")
    alice.log_out()
    with time_machine.travel(clock.now() + timedelta(seconds=2), tick=False):
        answer = verify(alice, Authorization=sent)
    assert_problem(answer, 401, "access_token_revoked")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert "X-Auth-Subject" not in answer.headers
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        assert_problem(verify(alice, Authorization=sent), 401, "access_token_expired")


@pytest.mark.once
@pytest.mark.parametrize("method", METHODS)
def test_a_forwarded_body_is_neither_read_nor_refused(alice: Person, method: str) -> None:
    alice.logged_in()
    for media, body in (
        ("application/json", b'{"access_token": "a.b.c"}'),
        ("application/json", b"{"),
        ("application/json; charset=utf-16", b"{}"),
        ("application/x-www-form-urlencoded", b"token=a"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("text/plain", b"x" * 100_000),
        ("", b"\xff"),
    ):
        sent = {"Authorization": bearer(alice), "Content-Type": media, "Content-Encoding": "gzip"}
        answer = alice.call(method, "/auth/verify/notes", headers=sent, data=body)
        assert_names(answer, alice)


def test_a_token_in_a_small_json_body_counts_where_there_is_no_header(alice: Person) -> None:
    body = {"access_token": alice.logged_in().access_token, "text": "of the other service"}
    for method in ("GET", "POST"):
        assert_names(alice.call(method, "/auth/verify", json=body), alice)
    answer = alice.call("POST", "/auth/verify", json={"access_token": 7})
    assert_problem(answer, 401, "access_token_invalid")


@pytest.mark.once
def test_a_body_that_is_no_small_json_object_counts_as_no_token(alice: Person) -> None:
    token = alice.logged_in().access_token
    whole = json.dumps({"access_token": token})
    for media, body in (
        ("application/json", whole[:-1]),
        ("application/json", f"[{whole}]"),
        ("application/json", whole + " " * 20_000),
        ("application/json", '{"text": "without one"}'),
        ("application/json; charset=utf-16", whole),
        ("text/plain", whole),
    ):
        answer = alice.call("POST", "/auth/verify", data=body, headers={"Content-Type": media})
        assert_problem(answer, 401, "access_token_missing")


@pytest.mark.once
@pytest.mark.parametrize("method", METHODS)
def test_the_origin_of_a_forwarded_request_is_not_refused(alice: Person, method: str) -> None:
    alice.logged_in()
    for headers in (
        {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"},
        {"Origin": STRANGER},
        {"Origin": "null", "Sec-Fetch-Site": "same-site"},
    ):
        answer = verify(alice, method, "/notes", Authorization=bearer(alice), **headers)
        assert_names(answer, alice)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        refused = verify(alice, method, "/notes", **headers)
        assert_problem_or_head(refused, method)


@pytest.mark.once
@pytest.mark.parametrize("origin", [STRANGER, "https://app.example.com"])
def test_a_forwarded_preflight_needs_no_token(
    make_app: MakeApp, alice: Person, origin: str
) -> None:
    alice.app = make_app(allowed_origins=["https://app.example.com"])
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for below in ("", "/", "/notes/7"):
        answer = verify(alice, "OPTIONS", below, **asked)
        assert (answer.status_code, answer.data) == (200, b"")
        assert "X-Auth-Subject" not in answer.headers
        assert ("Access-Control-Allow-Origin" in answer.headers) == (origin != STRANGER)
        without = verify(alice, "OPTIONS", below, Origin=origin)
        assert_problem(without, 401, "access_token_missing")
