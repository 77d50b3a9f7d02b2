"""Requests that no honest client sends, under both servers: each is answered as the contract says.

Broken framing is in test_framing.py.
"""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http.conftest import BODY, JSON, Session
from tests.http.raw import Answer, Connection, request
from tests.support.running_service import GRANIAN, GUNICORN, THREADS, Service, new_database, serving

pytestmark = pytest.mark.both_servers

LogIn = Callable[..., Session]
NOT_ASCII = "é".encode().decode("latin-1")
SILENT = 500
NEVER_READING = 2 * THREADS
SECONDS = 5.0
CHUNKS = 200
"""Of 64 KB each."""


def ask(service: Service, data: bytes) -> Answer:
    with Connection(service.port) as connection:
        return connection.ask(data)


@pytest.mark.parametrize("between", ["; ", "\r\nCookie: "], ids=["one line", "two lines"])
def test_another_sites_cookie_in_utf_8_does_not_hide_the_refresh_cookie(
    service: Service, log_in: LogIn, between: str
) -> None:
    session = log_in()
    cookies = f"Cookie: a={NOT_ASCII}{between}{session.cookie.removeprefix('Cookie: ')}"
    assert ask(service, request("POST /auth/refresh", cookies)).status == 200
    assert ask(service, request("POST /auth/logout", cookies)).status == 204
    answer = ask(service, request("POST /auth/refresh", session.cookie))
    assert answer.json["code"] == "refresh_token_revoked"


REFUSED = {
    "an Origin in UTF-8": ("POST /auth/logout", f"Origin: http://{NOT_ASCII}", 403),
    "two Origins": ("POST /auth/logout", "Origin: http://localhost\0Origin: http://x.example", 403),
    "a look-alike of Sec-Fetch-Site": (
        "POST /auth/logout",
        "Sec-Fetch-Site: cross-site\0Sec_Fetch_Site: same-origin",
        403,
    ),
    "a look-alike of Content-Type": ("POST /auth/login", "Content_Type: application/json", 415),
    "a Content-Encoding in UTF-8": ("POST /auth/login", f"{JSON}\0Content-Encoding: \xe9", 415),
    "a token in UTF-8": ("GET /api/me", f"Authorization: Bearer {NOT_ASCII}", 401),
    "an upgrade of a route that needs a token": ("GET /api/me", "Upgrade: h2c", 401),
    "OPTIONS *": ("OPTIONS *", "", 404),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_a_problem(service: Service, registered: Answer, name: str) -> None:
    line, headers, status = REFUSED[name]
    body = BODY if line.endswith("login") else None
    answer = ask(service, request(line, *filter(None, headers.split("\0")), body=body))
    assert (answer.status, answer.json["status"]) == (status, status)


@pytest.mark.parametrize(
    "lines",
    [
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"],
        ["Connection: Upgrade", "Upgrade: TLS/1.0"],
    ],
    ids=["h2c", "TLS"],
)
def test_no_connection_is_upgraded(service: Service, lines: list[str]) -> None:
    with Connection(service.port) as connection:
        assert connection.ask(request("GET /healthz", *lines)).json == {"status": "ok"}
        assert connection.ask(request("GET /healthz")).status == 200


def test_a_web_socket_is_not_opened(service: Service) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    lines = ["Connection: Upgrade", "Upgrade: websocket", key, "Sec-WebSocket-Version: 13"]
    assert ask(service, request("GET /healthz", *lines)).json["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/openapi.json"])
def test_a_response_to_head_has_no_body(service: Service, path: str) -> None:
    sent = request(f"HEAD {path}") + request("GET /healthz", "Connection: close")
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as wire:
        wire.sendall(sent)
        received = b"".join(iter(lambda: wire.recv(65536), b""))
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"content-length: 0" not in head.lower()
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b'{"status":"ok"}\n')


NO_HOST = {GUNICORN: 200, GRANIAN: 400}


@pytest.mark.parametrize("host", ["", "Host:"], ids=["none", "empty"])
def test_without_a_host_nothing_breaks(service: Service, host: str) -> None:
    answer = ask(service, request("GET /healthz", host=host))
    assert answer.status == NO_HOST[service.server]


def test_a_body_without_an_end_is_cut_off(service: Service) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with Connection(service.port) as connection:
        connection.send(request("POST /auth/login", JSON, "Transfer-Encoding: chunked"))
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_slowly(connection, [chunk] * CHUNKS)


def send_slowly(connection: Connection, pieces: list[bytes]) -> None:
    for piece in pieces:
        connection.send(piece)
        time.sleep(0.01)


def test_500_silent_connections_do_not_keep_others_out(service: Service) -> None:
    with ExitStack() as stack:
        for _ in range(SILENT):
            stack.enter_context(Connection(service.port, SECONDS))
        with Connection(service.port, SECONDS) as connection:
            assert connection.ask(request("GET /healthz")).status == 200


def test_clients_that_read_nothing_do_not_keep_others_out(service: Service) -> None:
    """Each asks for 25 MB. Under gunicorn they hold all threads, for ten seconds; under granian
    none. The worker must not keep what they do not read.
    """
    (worker,) = service.workers
    before = megabytes_of(worker)
    with ExitStack() as stack:
        for _ in range(NEVER_READING):
            connection = stack.enter_context(Connection(service.port, SECONDS))
            connection.send(request("GET /openapi.json") * 150)
        wait_until_all_is_blocked(service)
        with Connection(service.port, seconds=25) as connection:
            assert connection.ask(request("GET /healthz")).status == 200
        assert megabytes_of(worker) < before + NEVER_READING


def wait_until_all_is_blocked(service: Service) -> None:
    """Wait until no request was answered for a second."""
    logged = -1
    while (size := service.output.stat().st_size) > logged:
        logged = size
        time.sleep(1)


def megabytes_of(worker: int) -> float:
    status = Path(f"/proc/{worker}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


ENVIRON_APP = """
from flask import request
from authsvc.guard import public
from authsvc.server.boot import boot

app = boot()

@app.get("/environ")
@public
def environ():
    kinds = (str, int, float, bool)
    return {name: value for name, value in request.environ.items() if isinstance(value, kinds)}
"""


def environ_under_granian(folder: Path) -> dict[str, str]:
    """Return the WSGI environment of a request, while variables of the process look like it."""
    (folder / "wsgi.py").write_text(ENVIRON_APP)
    variables = {"HTTP_X_FORWARDED_FOR": "203.0.113.9", "SCRIPT_NAME": "/api", "HTTPS": "on"}
    url, output = new_database(folder), folder / "output"
    running = serving(url, output, server=GRANIAN, workers=1, cwd=folder, variables=variables)
    with running as service:
        answer = ask(service, request("GET /environ?a=%20", "X-One: 1", "X-Two: \xe9"))
    return {str(name): str(value) for name, value in answer.json.items()}


def test_under_granian_the_environment_of_a_request_has_no_variable_of_the_process(
    tmp_path: Path,
) -> None:
    """granian's own WSGI would add all of them, the secrets too."""
    environ = environ_under_granian(tmp_path)
    assert not {"PATH", "PYTHONPATH", "HOME", "HTTPS", "PORT"} & environ.keys()
    assert not [name for name in environ if name.startswith("AUTHSVC_")]
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    assert headers == {"HTTP_HOST": "localhost", "HTTP_X_ONE": "1", "HTTP_X_TWO": "\xe9"}
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/environ",
        "QUERY_STRING": "a=%20",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }
    assert expected.items() <= environ.items()
