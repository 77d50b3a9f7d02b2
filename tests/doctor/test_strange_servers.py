"""The doctor gives a clear verdict on any server, and never crashes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import BinaryIO

import pytest

from authsvc.doctor import http_client
from tests.doctor import faults
from tests.doctor.conftest import ALICE, PAGE, Doctor, Front, failing, rows_of
from tests.doctor.front import Answer, Forward, Request
from tests.support.running_service import free_port

Talk = Callable[[BinaryIO], object]
EVERYTHING = ("--json", "--email", ALICE["email"], "--origin", PAGE, "--limits")


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """Yield the URL of a server that reads one request and then calls `talk`."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            with suppress(OSError):  # the doctor has closed the connection
                talk(self.wfile)

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(text: str) -> Talk:
    return lambda wfile: wfile.write(text.encode("latin-1"))


def drips(wfile: BinaryIO) -> None:
    wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        wfile.write(b".")


def floods(wfile: BinaryIO) -> None:
    wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        wfile.write(b"." * 65536)


NO_ANSWERS = {
    "closes": (says(""), "the server closed the connection without a response"),
    "speaks SSH": (says("SSH-2.0-OpenSSH_9.2\r\n"), "the response is not HTTP"),
    "has no end of headers": (
        says("HTTP/1.1 200 OK\r\n" + "A: b\r\n" * 500),
        "the response is not HTTP",
    ),
    "floods": (floods, "the response is not HTTP"),
    "drips": (drips, "the response is not HTTP"),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_a_server_without_an_http_response_cannot_be_reached(doctor: Doctor, name: str) -> None:
    talk, reason = NO_ANSWERS[name]
    with talking(talk) as url:
        result = doctor(url, *EVERYTHING)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"Error: {url}: POST /auth/refresh: {reason}.\n"


def test_a_silent_server_times_out(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", 0.2)
    with front_that_listens() as url:
        result = doctor(url)
    assert result.exit_code == 2
    assert "no response within 0.2 seconds" in result.stderr


@contextmanager
def front_that_listens() -> Iterator[str]:
    """Yield the URL of a port that accepts connections and never reads."""
    with ThreadingTCPServer(("127.0.0.1", 0), StreamRequestHandler) as server:
        yield f"http://localhost:{server.server_address[1]}"


def test_a_closed_port_cannot_be_reached(doctor: Doctor) -> None:
    for scheme in ("http", "https"):
        result = doctor(f"{scheme}://localhost:{free_port()}")
        assert result.exit_code == 2
        assert "no server listens there (connection refused)." in result.stderr


def test_an_unknown_host_cannot_be_reached(doctor: Doctor) -> None:
    for scheme in ("http", "https"):
        result = doctor(f"{scheme}://{'a' * 64}.example")
        assert result.exit_code == 2
        assert "the host name does not exist." in result.stderr


def test_https_to_a_plain_http_port_cannot_be_reached(behind: Front, doctor: Doctor) -> None:
    with behind(certificate=None) as url:
        result = doctor(url.replace("http:", "https:"))
    assert result.exit_code == 2
    assert "TLS fails" in result.stderr


DEEP = "[" * 100_000
ANSWERS = {
    "a page": "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>",
    "not found": "HTTP/1.0 404 Not Found\r\n\r\n",
    "nothing": "HTTP/1.1 204 No Content\r\n\r\n",
    "deep JSON": f"HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n\r\n{DEEP}",
    "no object": "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n\r\n7",
    "no code": 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"access_token": 7}',
    "half a body": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
    "odd cookies": "HTTP/1.1 200 OK\r\nSet-Cookie: \r\nSet-Cookie: ;;=;\r\nSet-Cookie: "
    "__Host-refresh_token=a.b.c; Max-Age=\xb2; Max-Age\r\n\r\n",
    "odd dates": "HTTP/1.1 200 OK\r\nDate: Mon, 99 Nov 99999 99:99:99 +999999999\r\n\r\n",
    "many": "HTTP/1.1 299 \xff\r\nLocation: //\r\nStrict-Transport-Security: max-age=x\r\n\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_any_other_server_fails_the_checks(doctor: Doctor, name: str) -> None:
    with talking(says(ANSWERS[name])) as url:
        result = doctor(url, *EVERYTHING)
    assert result.exit_code == 1
    assert "failed" in rows_of(result)["the contract"]["verdict"]
    assert rows_of(result)["login"]["verdict"] == "failed"


def test_a_redirect_is_reported_and_not_followed(doctor: Doctor) -> None:
    moved = "HTTP/1.1 301 Moved\r\nLocation: https://auth.example.com/\r\n\r\n"
    with talking(says(moved)) as url:
        result = doctor(url, *EVERYTHING)
    row = rows_of(result)["the contract"]
    assert "301 to 'https://auth.example.com/'" in row["found"]
    assert row["next"] == "Use the URL that it redirects to."
    assert result.exit_code == 1


def test_a_server_cannot_send_control_characters_to_the_terminal(doctor: Doctor) -> None:
    evil = (
        "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\nServer: \x1b[2J\x9b9\r\n"
        'Access-Control-Allow-Origin: \x1b[2J\r\n\r\n{"code": "\\u001b[2J\\u202e"}'
    )
    with talking(says(evil)) as url:
        result = doctor(url, *EVERYTHING[1:])
    assert result.exit_code == 1
    assert r"\x1b[2J\u202e" in result.stdout
    shown = result.stdout.replace("\n", "")
    assert shown.isprintable()


def test_another_web_site_fails_the_checks(behind: Front, doctor: Doctor) -> None:
    with behind(faults.html_for_everything) as url:
        result = doctor(url, *EVERYTHING)
    assert result.exit_code == 1
    assert {"the contract", "errors", "protected routes", "login"} <= failing(result).keys()
    assert "200, not 401 refresh_token_missing" in rows_of(result)["the contract"]["found"]


def test_a_route_that_closes_the_connection_fails_its_checks_alone(
    behind: Front, doctor: Doctor
) -> None:
    def breaks_off(request: Request, forward: Forward) -> Answer:
        broken = request.path == "/api/me/sessions"
        return Answer(0, [], b"") if broken else forward(request)

    with behind(breaks_off) as url:
        result = doctor(url, *EVERYTHING[:-1])
    assert failing(result) == dict.fromkeys(("CORS", "client's address", "binding"), "failed")
    assert "closed the connection without a response" in rows_of(result)["CORS"]["found"]


def test_a_session_that_cannot_be_logged_out_is_reported(behind: Front, doctor: Doctor) -> None:
    def gone(request: Request, forward: Forward) -> Answer:
        broken = request.path == "/auth/logout" and "Cookie" in request.headers
        return Answer(0, [], b"") if broken else forward(request)

    with behind(gone) as url:
        result = doctor(url, *EVERYTHING[:-1])
    row = rows_of(result)["left behind"]
    assert row["verdict"] == "failed"
    assert row["next"] == "Revoke them with `authsvc sessions revoke alice@example.com`."


def test_a_wrong_password_is_reported(behind: Front, doctor: Doctor) -> None:
    with behind() as url:
        result = doctor(url, "--json", "--email", ALICE["email"], password="a horse that is wrong")
    assert failing(result) == {"login": "failed"}
    rows = rows_of(result)
    assert rows["login"]["found"] == "POST /auth/login: 401 invalid_credentials"
    assert "password" in rows["login"]["next"]
    assert rows["forged access"]["verdict"] == "not checked"


def test_too_many_logins_are_reported_with_the_time_to_wait(behind: Front, doctor: Doctor) -> None:
    spent = Answer(429, [("Retry-After", "77")], b"")
    with behind(faults.answers("/auth/login", spent, faults.is_login)) as url:
        rows = rows_of(doctor(url, "--json", "--email", ALICE["email"]))
    assert rows["login"]["next"].startswith("Wait 77 seconds")
