"""Requests made for smuggling, over raw sockets: refused, or read in one way.

All of it runs against both servers. Their parsers differ: what granian answers otherwise than
gunicorn is in the tables here, and in docs/granian.md.
"""

import json
import time
from collections.abc import Callable
from itertools import cycle

import pytest

from tests.http.conftest import BODY, JSON, Session
from tests.http.raw import Answer, Connection, chunked, request
from tests.support.running_service import GRANIAN, GUNICORN, THREADS, Service

pytestmark = pytest.mark.both_servers

LogIn = Callable[..., Session]
CHUNKED = "Transfer-Encoding: chunked"
SMUGGLED = request("GET /smuggled", "X-Request-ID: smuggled")
LOGIN = "POST /auth/login"

# Each is refused, and nothing after it on the connection is read as a request.
REFUSED: dict[str, tuple[bytes, int]] = {
    "Content-Length and chunked": (
        request(LOGIN, JSON, "Content-Length: 5", CHUNKED) + b"0\r\n\r\n",
        400,
    ),
    "chunked and Content-Length": (
        request(LOGIN, JSON, CHUNKED, "Content-Length: 5") + b"0\r\n\r\n",
        400,
    ),
    "two equal Content-Lengths": (
        request(LOGIN, JSON, "Content-Length: 2", "Content-Length: 2") + b"{}",
        400,
    ),
    "two Content-Lengths": (
        request(LOGIN, JSON, "Content-Length: 2", "Content-Length: 9") + b"{}",
        400,
    ),
    "a list of Content-Lengths": (request(LOGIN, JSON, "Content-Length: 2, 2") + b"{}", 400),
    "Content-Length +2": (request(LOGIN, JSON, "Content-Length: +2") + b"{}", 400),
    "Content-Length -1": (request(LOGIN, JSON, "Content-Length: -1") + b"{}", 400),
    "Content-Length 0x2": (request(LOGIN, JSON, "Content-Length: 0x2") + b"{}", 400),
    "Content-Length 2.0": (request(LOGIN, JSON, "Content-Length: 2.0") + b"{}", 400),
    "Content-Length superscript two": (request(LOGIN, JSON, "Content-Length: \xb2") + b"{}", 400),
    "an empty Content-Length": (request(LOGIN, JSON, "Content-Length:") + b"{}", 400),
    "a space before the colon": (request(LOGIN, JSON, "Content-Length : 2") + b"{}", 400),
    "chunked twice": (request(LOGIN, JSON, CHUNKED, CHUNKED) + chunked(b"{}"), 400),
    "chunked, chunked": (
        request(LOGIN, JSON, "Transfer-Encoding: chunked, chunked") + chunked(b"{}"),
        400,
    ),
    "chunked, identity": (
        request(LOGIN, JSON, "Transfer-Encoding: chunked, identity") + chunked(b"{}"),
        400,
    ),
    "identity": (request(LOGIN, JSON, "Transfer-Encoding: identity") + b"{}", 400),
    "gzip": (request(LOGIN, JSON, "Transfer-Encoding: gzip") + b"{}", 400),
    "xchunked": (request(LOGIN, JSON, "Transfer-Encoding: xchunked") + chunked(b"{}"), 501),
    "chunked in quotes": (request(LOGIN, JSON, 'Transfer-Encoding: "chunked"') + b"0\r\n\r\n", 501),
    "chunked after a vertical tab": (
        request(LOGIN, JSON, "Transfer-Encoding: \x0bchunked") + chunked(b"{}"),
        400,
    ),
    "chunked in HTTP/1.0": (
        request(LOGIN, JSON, CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0") + chunked(b"{}"),
        400,
    ),
    "obs-fold": (request(LOGIN, JSON, "X-Folded: a\r\n b", body=b"{}"), 400),
    "obs-fold in Transfer-Encoding": (
        request(LOGIN, JSON, "Transfer-Encoding:\r\n chunked") + chunked(b"{}"),
        400,
    ),
    "a first header line that is folded": (
        b"POST /auth/login HTTP/1.1\r\n Host: localhost\r\n\r\n",
        400,
    ),
    "bare LF after the request line": (b"POST /auth/login HTTP/1.1\nHost: localhost\r\n\r\n", 400),
    "bare LF after a header": (b"GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400),
    "bare LF throughout": (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 400),
    "bare CR in a value": (request("GET /healthz", "X-Value: a\rb"), 400),
    "CR in Authorization": (request("GET /api/me", "Authorization: Bearer a\rb"), 400),
    "NUL in a value": (request("GET /healthz", "X-Value: a\0b"), 400),
    "NUL in Authorization": (request("GET /api/me", "Authorization: Bearer a\0b"), 400),
    "NUL in a name": (request("GET /healthz", "X-Va\0lue: b"), 400),
    "ESC in a value": (request("GET /healthz", "X-Value: \x1b[31m"), 400),
    "a space in a name": (request("GET /healthz", "X Value: b"), 400),
    "a name that is not ASCII": (request("GET /healthz", "X-Valu\xe9: b"), 400),
    "no name": (request("GET /healthz", ": b"), 400),
    "no colon": (request("GET /healthz", "X-Value"), 400),
    "two Hosts": (request("GET /healthz", "Host: attacker.example"), 400),
    "two Content-Types": (request(LOGIN, JSON, "Content-Type: text/plain", body=b"{}"), 400),
    "a space in the target": (request("GET /healthz /x"), 400),
    "NUL in the target": (request("GET /health\0z"), 400),
    "a raw byte in the target": (request("GET /health\xe9"), 400),
    "no target": (b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "authority form": (request("GET localhost:80"), 400),
    "asterisk form of GET": (request("GET *"), 400),
    "a small method": (request("get /healthz"), 400),
    "a method with NUL": (request("GE\0T /healthz"), 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "HTTP/2.0": (b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
    "HTTP/1.10": (b"GET /healthz HTTP/1.10\r\nHost: localhost\r\n\r\n", 400),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "a request line of 9,000 bytes": (request("GET /" + "a" * 9000), 414),
    "a header line of 9,000 bytes": (request("GET /healthz", "X-Value: " + "a" * 9000), 431),
    "a token of 9,000 bytes": (request("GET /api/me", "Authorization: Bearer " + "a" * 9000), 431),
    "a request line of 200,000 bytes": (request("GET /" + "a" * 200_000), 414),
    "a header line of 200,000 bytes": (request("GET /healthz", "X-Value: " + "a" * 200_000), 431),
    "200 headers": (request("GET /healthz", *(f"X-{number}: x" for number in range(200))), 431),
    "an unknown expectation": (request(LOGIN, JSON, "Expect: 200-ok", body=b"{}"), 417),
}

# A chunked body that breaks its framing, found out while it is read.
BAD_CHUNKS = {
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "a size that is not a number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "a size with a space before": b" 2\r\n{}\r\n0\r\n\r\n",
    "a size with a space after": b"2 \r\n{}\r\n0\r\n\r\n",
    "a size that is too small": b"1\r\n{}\r\n0\r\n\r\n",
    "bare LF after the size": b"2\n{}\r\n0\r\n\r\n",
    "bare LF after the chunk": b"2\r\n{}\n0\r\n\r\n",
    "bare CR in an extension": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "bare LF in an extension": b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "an extension of 20,000 bytes": b"2;" + b"a" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
    "a trailer without a colon": b"2\r\n{}\r\n0\r\ntrailer\r\n\r\n",
    "Content-Length as a trailer": b"2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n",
    "Authorization as a trailer": b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
    "bare LF in the trailers": b"2\r\n{}\r\n0\r\nX: y\n\r\n\r\n",
    "no end": b"2\r\n{}\r\n",
    "an end cut short": b"2\r\n{}\r\n0\r\n",
    "a chunk cut short": b"20\r\n{}",
}


# What hyper, granian's parser, answers otherwise: nothing, or the status that the service gives to
# a request that both RFC 9112 and hyper allow. Then what follows is the next request: a 404.
GRANIAN_ANSWERS: dict[str, list[int]] = {
    "two equal Content-Lengths": [422, 404],
    "chunked twice": [422, 404],
    "chunked, chunked": [422, 404],
    "xchunked": [400],
    "chunked in quotes": [400],
    "bare LF after the request line": [415, 404],
    "bare LF after a header": [200, 404],
    "bare LF throughout": [200, 404],
    "two Content-Types": [415, 404],
    "authority form": [404, 404],
    "asterisk form of GET": [404, 404],
    "a small method": [200, 404],
    "the HTTP/2 preface": [],
    "a request line of 9,000 bytes": [404, 404],  # its limit is one for all lines together
    "a header line of 9,000 bytes": [200, 404],
    "a token of 9,000 bytes": [401, 404],
    "a request line of 200,000 bytes": [431],
    "an unknown expectation": [422, 404],
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_what_follows_is_not_read(service: Service, name: str) -> None:
    sent, status = REFUSED[name]
    expected = [status]
    if service.server == GRANIAN:
        expected = GRANIAN_ANSWERS.get(name, expected)
    with Connection(service.port) as connection:
        answers = connection.answers(sent + SMUGGLED)
    assert [answer.status for answer in answers] == expected
    assert_alive(service)


# What hyper reads as a whole body, or as none, and passes on; each other one ends the connection.
GRANIAN_READS_CHUNKS = {
    "a size with a space after",
    "Content-Length as a trailer",
    "Authorization as a trailer",
    "bare LF in the trailers",
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh", "/auth/logout"])
def test_a_broken_chunked_body_is_never_a_5xx_or_a_second_request(
    service: Service, path: str, name: str
) -> None:
    sent = request(f"POST {path}", JSON, CHUNKED) + BAD_CHUNKS[name]
    cut_short = any(word in name for word in ("no end", "cut short"))
    is_read = service.server == GRANIAN and name in GRANIAN_READS_CHUNKS
    with Connection(service.port) as connection:
        if cut_short:
            answers = connection.answers(sent, end="cut")
        else:
            answers = connection.answers(sent + SMUGGLED)
    login = 422 if is_read else 400
    assert answers
    first, *rest = answers
    assert first.status == {"/auth/login": login, "/auth/refresh": 401, "/auth/logout": 204}[path]
    if is_read:
        assert [answer.status for answer in rest] == [404]  # the next request
    else:
        assert [answer.status for answer in rest if answer.status != 400] == []
        assert all("x-request-id" not in answer.headers for answer in rest)
    assert_alive(service)


@pytest.mark.parametrize(
    "chunks",
    [
        chunked(BODY),
        chunked(BODY[:9], BODY[9:]),
        b"%X\r\n%s\r\n00\r\n\r\n" % (len(BODY), BODY),
        b"%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
        b'%x ; name="quoted;\r"\r\n'.replace(b"\r", b"", 1) % len(BODY) + BODY + b"\r\n0\r\n\r\n",
        b"%x\r\n%s\r\n0\r\nX-Trailer: x\r\n\r\n" % (len(BODY), BODY),
    ],
    ids=["one", "two", "capitals", "an extension", "a quoted extension", "a trailer"],
)
def test_a_chunked_body_is_read_whole_and_the_next_request_after_it(
    service: Service, registered: Answer, chunks: bytes
) -> None:
    sent = request(LOGIN, JSON, CHUNKED) + chunks
    with Connection(service.port) as connection:
        answers = connection.answers(sent + request("GET /healthz"))
    assert [answer.status for answer in answers] == [200, 200]
    assert "access_token" in answers[0].json


def _hidden(length: int) -> bytes:
    """Return a body that contains a whole request."""
    return SMUGGLED.ljust(length, b" ")


UNREAD = {
    "refused at refresh": "POST /auth/refresh",
    "ignored at logout": "POST /auth/logout",
    "refused as cross-origin": "POST /auth/login\0Sec-Fetch-Site: cross-site",
    "refused without a token": "GET /api/me",
    "no such route": "POST /nothing",
    "no such method": "PUT /auth/login",
    "another type": "POST /auth/login\0Content-Type: text/plain",
    "a GET of a public route": "GET /healthz",
    "a DELETE": "DELETE /api/me/sessions",
    "an OPTIONS": "OPTIONS /auth/login",
    "TRACE": "TRACE /auth/login",
}


@pytest.mark.parametrize("name", UNREAD)
@pytest.mark.parametrize("length", [len(SMUGGLED), 20_000, 200_000])
@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_an_unread_body_is_never_read_as_a_request(
    service: Service, name: str, length: int, framing: str
) -> None:
    line, *headers = UNREAD[name].split("\0")
    hidden = _hidden(length)
    if framing == "chunked":
        sent = request(line, *headers, CHUNKED) + chunked(hidden)
    else:
        sent = request(line, *headers, body=hidden)
    with Connection(service.port) as connection:
        answers = connection.answers(sent + request("GET /healthz", "X-Request-ID: after"))
    assert answers[0].status < 500
    assert len(answers) <= 2  # where so much is unread, the connection is closed instead
    assert all(answer.headers.get("x-request-id") != "smuggled" for answer in answers)
    assert [answer.json for answer in answers[1:]] == [{"status": "ok"}] * len(answers[1:])
    if length == len(SMUGGLED):
        assert len(answers) == 2


def test_pipelined_requests_are_answered_in_their_order(
    service: Service, log_in: Callable[..., Session]
) -> None:
    session = log_in()
    sent = [
        request("GET /api/me", session.bearer),
        request("GET /api/me"),
        request("POST /auth/refresh", session.cookie, body=b"ignored"),
        request("POST /auth/logout", session.cookie, body=b"ignored"),
        request("POST /auth/refresh", session.cookie),
    ]
    with Connection(service.port) as connection:
        answers = connection.answers(b"".join(sent))
    assert [answer.status for answer in answers] == [200, 401, 200, 204, 401]


def test_a_token_does_not_stay_with_the_connection(service: Service, log_in: LogIn) -> None:
    session = log_in()
    with Connection(service.port) as connection:
        assert connection.ask(request("GET /api/me", session.bearer)).status == 200
        assert connection.ask(request("GET /api/me")).status == 401
        assert connection.ask(request("POST /auth/refresh")).status == 401


@pytest.mark.parametrize("name", ["Authorization_", "AUTHORIZATION-", "HTTP_AUTHORIZATION"])
def test_a_look_alike_of_authorization_is_not_it(
    service: Service, log_in: LogIn, name: str
) -> None:
    token = log_in().access_token
    with Connection(service.port) as connection:
        answer = connection.ask(request("GET /api/me", f"{name}: Bearer {token}"))
        assert answer.json["code"] == "access_token_missing"


def test_script_name_and_path_info_cannot_be_sent(service: Service) -> None:
    with Connection(service.port) as connection:
        lines = ["SCRIPT_NAME: /api", "PATH_INFO: /healthz", "SCRIPT-NAME: /api"]
        answer = connection.ask(request("GET /api/me", *lines))
    assert answer.json["code"] == "access_token_missing"


def test_an_absolute_target_is_read_by_its_path_alone(service: Service, log_in: LogIn) -> None:
    line = "GET http://attacker.example/api/me"
    with Connection(service.port) as connection:
        assert connection.ask(request(line)).status == 401
        answer = connection.ask(request(line, log_in().bearer))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//healthz", 200),
        ("/healthz/", 404),
        ("/./healthz", 404),
        ("/api/../healthz", 404),
        ("/healthz%00", 404),
        ("/healthz%2f", 404),
        ("/healthz;x", 404),
        ("/%68ealthz", 200),
        ("/healthz?a=%ff", 200),
        ("/healthz#fragment", 200),
        ("/api%2fme", 401),
        ("//api/me", 401),
        ("/api/me/", 404),
        ("/API/me", 404),
        ("/%ff", 404),
        ("/%", 404),
    ],
)
def test_no_spelling_of_a_path_goes_past_the_guard(
    service: Service, target: str, status: int
) -> None:
    with Connection(service.port) as connection:
        answer = connection.ask(request(f"GET {target}"))
    assert answer.status == status
    assert answer.headers["content-type"].endswith("json")


def test_expect_continue_is_answered_before_the_body(service: Service, registered: Answer) -> None:
    head = request(LOGIN, JSON, "Expect: 100-continue", f"Content-Length: {len(BODY)}")
    with Connection(service.port) as connection:
        assert connection.ask(head).status == 100
        assert connection.ask(BODY).status == 200


def test_expect_continue_with_too_large_a_body_is_refused_without_it(service: Service) -> None:
    head = request(LOGIN, JSON, "Expect: 100-continue", "Content-Length: 1000000")
    with Connection(service.port) as connection:
        answers = connection.answers(head, end="by itself")
    told_to_send = [] if service.server == GRANIAN else [100]
    assert [answer.status for answer in answers] == [*told_to_send, 413]


def test_a_body_cut_short_is_refused_and_opens_no_session(
    service: Service, registered: Answer
) -> None:
    cut = request(LOGIN, JSON, body=BODY)[:-1]
    with Connection(service.port) as connection:
        answers = connection.answers(cut, end="cut")
    assert [answer.status for answer in answers] == [400]
    assert_alive(service)


@pytest.mark.parametrize("missing", [1, 100])
def test_a_body_shorter_than_its_content_length_is_400_and_not_counted(
    service: Service, registered: Answer, missing: int
) -> None:
    """Issue 14, number 14: what arrived is complete JSON, so only its length shows the cut."""
    wrong = json.dumps({"email": "cut@example.com", "password": "a guess that is wrong"}).encode()
    cut = request(LOGIN, JSON, body=wrong + b" " * missing)[:-missing]
    for _ in range(12):
        with Connection(service.port) as connection:
            (answer,) = connection.answers(cut, end="cut")
        assert (answer.status, answer.json["code"]) == (400, "invalid_request")
    assert_alive(service)


def test_one_slow_body_delays_no_other_client(service: Service, registered: Answer) -> None:
    with Connection(service.port) as slow:
        slow.send(request(LOGIN, JSON, body=BODY)[:-5])
        assert_alive(service, seconds=5)
        assert slow.ask(BODY[-5:]).status == 200


def test_silent_clients_hold_the_threads_for_some_seconds_only(service: Service) -> None:
    """One more client than a worker has threads stops in the middle of a request.

    Under granian they hold none.
    """
    unfinished = [request("GET /healthz")[:-2], request(LOGIN, JSON, body=BODY)[:-5]]
    silent = [Connection(service.port) for _ in range(THREADS + 1)]
    for connection, sent in zip(silent, cycle(unfinished), strict=False):
        connection.send(sent)
    began = time.monotonic()
    assert_alive(service, seconds=25)
    if service.server == GUNICORN:
        assert time.monotonic() - began > 5
    for connection in silent:
        connection.close()


def test_http_1_0_without_host_is_answered(service: Service) -> None:
    with Connection(service.port) as connection:
        answers = connection.answers(b"GET /healthz HTTP/1.0\r\n\r\n", end="by itself")
    assert [answer.status for answer in answers] == [200]


def assert_alive(service: Service, seconds: float = 10) -> None:
    with Connection(service.port, seconds) as connection:
        assert connection.ask(request("GET /healthz")).status == 200
