"""H2 and X2: a body is small, strict JSON in UTF-8, declared as such and not encoded."""

import gzip
import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from authsvc import strict_json
from tests.http.conftest import BODY, JSON, Session
from tests.http.raw import Answer, Connection, chunked, request
from tests.support.people import Person
from tests.support.running_service import Service

pytestmark = pytest.mark.both_servers

LIMIT = 16 * 1024
TYPE = "application/json"
ROUTES = [
    ("POST", "/auth/login"),
    ("POST", "/auth/register"),
    ("PUT", "/api/me/password"),
    ("DELETE", "/api/me"),
]


def good_body(person: Person) -> bytes:
    """Return a body that each of the routes would accept."""
    changed = {"current_password": person.password, "new_password": "another horse, correct too"}
    return json.dumps(person.credentials | changed).encode()


def assert_refused_everywhere(
    person: Person, body: bytes, status: int, code: str, **headers: str
) -> None:
    """Assert that each route refuses it, and that account, password and session are unchanged."""
    for method, path in ROUTES:
        answer = call(person, method, path, body, **headers)
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert answer.mimetype == "application/problem+json"
        assert "Set-Cookie" not in answer.headers
    assert person.call("GET", "/api/me").status_code == 200
    assert person.refresh().status_code == 200
    assert person.on_another_device().log_in().status_code == 200


def call(person: Person, method: str, path: str, body: bytes, **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.call(method, path, data=body, headers={"Content-Type": TYPE, **sent})


def padded(body: bytes, length: int) -> bytes:
    return body.ljust(length)


def test_one_byte_too_many_is_413(alice: Person) -> None:
    alice.logged_in()
    body = padded(good_body(alice), LIMIT + 1)
    assert_refused_everywhere(alice, body, 413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [(*route, n) for route, n in zip(ROUTES, [200, 409, 200, 204], strict=True)],
)
def test_a_body_of_exactly_the_limit_passes(
    alice: Person, method: str, path: str, status: int
) -> None:
    alice.logged_in()
    assert call(alice, method, path, padded(good_body(alice), LIMIT)).status_code == status


def test_too_large_a_body_with_the_access_token_is_413(alice: Person) -> None:
    alice.logged_in()
    body = padded(json.dumps({"access_token": alice.access_token}).encode(), LIMIT + 1)
    client = alice.app.test_client(use_cookies=False)
    assert client.get("/api/me", data=body, content_type=TYPE).status_code == 413
    assert client.get("/api/me", data=body[:LIMIT], content_type=TYPE).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "application/problem+json",
        "application/json, text/plain",
        "application/octet-stream",
        "application",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-7",
        "*/*",
    ],
)
def test_another_type_is_415(alice: Person, content_type: str) -> None:
    alice.logged_in()
    assert_refused_everywhere(
        alice, good_body(alice), 415, "unsupported_media_type", Content_Type=content_type
    )


@pytest.mark.parametrize(
    "content_type",
    ["Application/JSON", "application/json; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_every_spelling_of_json_in_utf_8_is_taken(alice: Person, content_type: str) -> None:
    assert (
        call(alice, "POST", "/auth/login", good_body(alice), Content_Type=content_type).status_code
        == 200
    )


@pytest.mark.parametrize(
    "encoding", ["gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "gzip, identity", ""]
)
def test_a_content_encoding_is_415(alice: Person, encoding: str) -> None:
    alice.logged_in()
    for body in (good_body(alice), gzip.compress(good_body(alice))):
        assert_refused_everywhere(
            alice, body, 415, "unsupported_media_type", Content_Encoding=encoding
        )


NOT_STRICT: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda body: b"",
    "not JSON": lambda body: b"email=alice",
    "cut short": lambda body: body[:-1],
    "followed by more": lambda body: body + b"{}",
    "followed by NUL": lambda body: body + b"\0",
    "a member twice": lambda body: body[:-1] + b',"password":"x"}',
    "a member twice, with an escape": lambda body: body[:-1] + b',"p\\u0061ssword":"x"}',
    "a duplicate deep inside": lambda body: body[:-1] + b',"x":[{"y":1,"y":1}]}',
    "NaN": lambda body: body[:-1] + b',"x":NaN}',
    "Infinity": lambda body: body[:-1] + b',"x":-Infinity}',
    "a comment": lambda body: body + b"//",
    "a trailing comma": lambda body: body[:-1] + b",}",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda body: body.decode().encode("utf-16-le"),
    "UTF-32": lambda body: body.decode().encode("utf-32"),
    "Latin-1": lambda body: body.replace(b"horse", b"h\xf6rse"),
    "a surrogate in UTF-8": lambda body: body.replace(b"horse", b"\xed\xa0\x80"),
    "a raw line break": lambda body: body.replace(b"horse", b"ho\nrse"),
    "a list": lambda body: b"[" + body + b"]",
    "a string": lambda body: json.dumps(body.decode()).encode(),
    "null": lambda body: b"null",
    "a number": lambda body: b"1",
    "5,000 digits": lambda body: body[:-1] + b',"x":' + b"1" * 5000 + b"}",
    "65 levels": lambda body: body[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "1,500 levels of lists": lambda body: body[:-1] + b',"x":' + b"[" * 1500 + b"]" * 1500 + b"}",
    "1,500 levels of objects": lambda body: b'{"x":' * 1500 + b"1" + b"}" * 1500,
    "as many levels as fit": lambda body: b"[" * LIMIT,
}


@pytest.mark.parametrize("name", NOT_STRICT)
def test_what_is_not_strict_json_is_400(alice: Person, name: str) -> None:
    alice.logged_in()
    body = NOT_STRICT[name](good_body(alice))
    assert_refused_everywhere(alice, body, 400, "invalid_request")


def test_64_levels_pass(alice: Person) -> None:
    body = good_body(alice)[:-1] + b',"y":[],"x":' + b"[" * 63 + b"]" * 63 + b"}"
    assert call(alice, "POST", "/auth/login", body).status_code == 200


@pytest.mark.parametrize("opening", [b"[", b'{"x":'])
def test_200_000_levels_are_refused_without_a_crash(alice: Person, opening: bytes) -> None:
    text = opening * 200_000
    with pytest.raises(strict_json.NotStrictJson):
        strict_json.loads(text)
    assert call(alice, "POST", "/auth/login", text).status_code == 413


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
@pytest.mark.parametrize("content_type", ["", "text/plain", TYPE, "multipart/form-data"])
def test_bodies_of_refresh_and_logout_are_ignored(
    alice: Person, path: str, content_type: str
) -> None:
    alice.logged_in()
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    answer = alice.call("POST", path, data=b"\xff not read", headers=headers)
    assert answer.status_code in (200, 204)


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 2 * LIMIT, 10 * LIMIT])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked", "small chunks"])
def test_the_server_takes_the_limit_and_not_one_byte_more(
    service: Service, registered: Answer, size: int, framing: str
) -> None:
    body = padded(BODY, size)
    pieces = [body[at : at + 1000] for at in range(0, size, 1000)]
    sent = {
        "Content-Length": request("POST /auth/login", JSON, body=body),
        "chunked": request("POST /auth/login", JSON, "Transfer-Encoding: chunked") + chunked(body),
        "small chunks": request("POST /auth/login", JSON, "Transfer-Encoding: chunked")
        + chunked(*pieces),
    }
    with Connection(service.port) as connection:
        first = connection.answers(sent[framing])[0]
    assert first.status == (200 if size == LIMIT else 413)
    if size > LIMIT:
        assert first.json["code"] == "request_too_large"


def test_the_server_reads_a_token_from_the_body_of_a_get(
    service: Service, log_in: Callable[..., Session]
) -> None:
    body = json.dumps({"access_token": log_in().access_token}).encode()
    with Connection(service.port) as connection:
        assert connection.ask(request("GET /api/me", JSON, body=body)).status == 200
        head = request("GET /api/me", JSON, "Transfer-Encoding: chunked")
        assert connection.ask(head + chunked(body)).status == 200
