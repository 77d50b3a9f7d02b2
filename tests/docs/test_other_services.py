"""docs/other-services.md: each way to use the service, run as a reader would run it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.http.raw import Answer
from tests.support.gunicorn_server import ROOT, Service, free_port, new_database, serving
from tests.support.key_pair_settings import signed_by
from tests.support.nginx_server import changed, nginx
from tests.support.programs import program
from tests.support.responses import claims

DOC = (ROOT / "docs" / "other-services.md").read_text(encoding="utf-8")
ISSUER = "https://auth.example.com"
REFUSED_WITHIN = 1.5
"""Seconds after the response to the logout: one is promised, and half is for a slow machine."""
START_SECONDS = 20


def block(language: str, holding: str = "") -> str:
    """Return the document's only block in that language that contains that text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if holding in text)
    return str(found)


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    text = None if body is None else json.dumps(body)
    if body is not None:
        sent["Content-Type"] = "application/json"
    with closing(HTTPConnection("127.0.0.1", port, timeout=15)) as connection:
        connection.request(method, path, text, sent)
        answer: HTTPResponse = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())


@dataclass
class Visitor:
    """A user who is logged in to the service."""

    access_token: str
    cookie: str
    bearer: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.bearer = {"Authorization": f"Bearer {self.access_token}"}


def logged_in(service: Service, email: str) -> Visitor:
    credentials = {"email": email, "password": "a horse that is correct"}
    ask(service.port, "POST", "/auth/register", credentials)
    answer = ask(service.port, "POST", "/auth/login", credentials)
    assert answer.status == 200, answer.json
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return Visitor(answer.json["access_token"], cookie)


def log_out(service: Service, visitor: Visitor) -> None:
    assert ask(service.port, "POST", "/auth/logout", Cookie=visitor.cookie).status == 204


@pytest.fixture(scope="module", params=["EdDSA", "ES256"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service with gunicorn, signing with a private key."""
    folder = tmp_path_factory.mktemp("service")
    url = new_database(folder)
    port = free_port()
    settings = {"issuer": f"http://localhost:{port}", **signed_by(request.param)}
    with serving(url, folder / "log", port=port, **settings) as service:
        yield service


@pytest.fixture
def alice(service: Service, request: pytest.FixtureRequest) -> Visitor:
    return logged_in(service, "alice@example.com")


@contextmanager
def flask_api(service: Service, folder: Path) -> Iterator[int]:
    """Run the document's Flask API as a separate process; yield its port."""
    (folder / "notes.py").write_text(changed(block("python"), {ISSUER: service.url}))
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "notes:app"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def listens(port: int) -> bool:
    try:
        return ask(port, "GET", "/").status > 0
    except OSError:
        time.sleep(0.05)
        return False


def test_another_flask_api_accepts_the_services_tokens(
    service: Service, alice: Visitor, tmp_path: Path
) -> None:
    with flask_api(service, tmp_path) as port:
        assert ask(port, "GET", "/notes").json["code"] == "access_token_missing"
        answer = ask(port, "GET", "/notes", **alice.bearer)
        assert (answer.status, answer.json) == (200, {"of": claims(alice.access_token)["sub"]})
        cut = f"Bearer {alice.access_token[:-2]}"
        assert ask(port, "GET", "/notes", Authorization=cut).json["code"] == "access_token_invalid"
        assert ask(port, "GET", "/nowhere").headers["Content-Type"].startswith("text/html")


@contextmanager
def backend() -> Iterator[int]:
    """Run a server that returns the headers of each request; yield its port."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(self.headers.items()).encode())

        do_POST = do_GET

        def log_message(self, *about: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def front(service: Service, tmp_path: Path) -> Iterator[int]:
    """The port of a real nginx with the document's lines, in front of a backend."""
    port = free_port()
    with backend() as behind:
        ports = {
            "127.0.0.1:5000": f"127.0.0.1:{behind}",
            "127.0.0.1:8000": f"127.0.0.1:{service.port}",
        }
        site = f"server {{ listen 127.0.0.1:{port};\n{changed(block('nginx'), ports)} }}"
        with nginx(site, tmp_path):
            yield port


def x_auth_headers(answer: Answer) -> dict[str, list[str]]:
    """Return the X-Auth headers that reached the backend, in any spelling."""
    assert answer.status == 200, answer.body
    found: dict[str, list[str]] = {}
    for name, value in answer.json:
        name = name.lower().replace("_", "-")
        if name.startswith("x-auth"):
            found.setdefault(name, []).append(value)
    return found


def test_nginx_passes_the_user_and_the_session_to_the_backend(front: int, alice: Visitor) -> None:
    said = claims(alice.access_token)
    expected = {"x-auth-subject": [said["sub"]], "x-auth-session": [said["sid"]]}
    for body in (None, {"a": "x" * 100_000}):
        method = "GET" if body is None else "POST"
        assert x_auth_headers(ask(front, method, "/notes/", body, **alice.bearer)) == expected
    forged = {"X_Auth_Subject": "mallory", "x_auth_session": "stolen"}
    assert x_auth_headers(ask(front, "GET", "/notes/", **alice.bearer, **forged)) == expected
    with closing(HTTPConnection("127.0.0.1", front, timeout=15)) as connection:
        connection.putrequest("GET", "/notes/")
        for name in ("X_Auth_Subject", "X-Auth_Session", "x-auth-subject"):
            connection.putheader(name, "mallory")
        connection.putheader("Authorization", alice.bearer["Authorization"])
        connection.endheaders()
        answer = connection.getresponse()
        assert x_auth_headers(Answer(answer.status, {}, answer.read())) == expected


def test_a_refusal_by_nginx_is_the_services_problem(front: int) -> None:
    for headers, code in (({}, "missing"), ({"Authorization": "Bearer a.b.c"}, "invalid")):
        for method, body in (("GET", None), ("POST", {"a": 1})):
            answer = ask(front, method, "/notes/", body, **headers)
            assert (answer.status, answer.json["code"]) == (401, f"access_token_{code}")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="authsvc"')
            assert "X-Auth-Subject" not in answer.headers
    twice = {"Authorization": "Bearer a.b.c, Bearer a.b.c"}
    assert ask(front, "GET", "/notes/", **twice).json["code"] == "invalid_request"
    assert ask(front, "GET", "/_access_token").status == 404


def test_behind_nginx_a_revoked_session_is_refused_within_a_second(
    service: Service, front: int, alice: Visitor
) -> None:
    assert ask(front, "GET", "/notes/", **alice.bearer).status == 200
    log_out(service, alice)
    deadline = time.monotonic() + REFUSED_WITHIN
    while time.monotonic() < deadline:
        ask(front, "GET", "/notes/", **alice.bearer)
    for _ in range(8):  # whichever worker is asked
        answer = ask(front, "GET", "/notes/", **alice.bearer)
        assert (answer.status, answer.json["code"]) == (401, "access_token_revoked")


def test_without_the_service_nginx_refuses_every_request(alice: Visitor, tmp_path: Path) -> None:
    port = free_port()
    with backend() as behind:
        ports = {
            "127.0.0.1:5000": f"127.0.0.1:{behind}",
            "127.0.0.1:8000": f"127.0.0.1:{free_port()}",
        }
        with nginx(
            f"server {{ listen 127.0.0.1:{port};\n{changed(block('nginx'), ports)} }}", tmp_path
        ):
            assert ask(port, "GET", "/notes/", **alice.bearer).status == 502


def test_introspection_by_curl(service: Service, alice: Visitor, tmp_path: Path) -> None:
    script = changed(block("sh", "introspect"), {ISSUER: service.url, "curl": "curl -sS --fail"})

    def introspected() -> Any:
        ran = subprocess.run(
            [program("bash"), "-eu", "-c", script],
            env={"PATH": os.environ["PATH"], "TOKEN": alice.access_token},
            capture_output=True,
            check=True,
        )
        return json.loads(ran.stdout)

    assert introspected() == {"active": True, "token_type": "Bearer", **claims(alice.access_token)}
    log_out(service, alice)
    assert introspected() == {"active": False}


def test_the_commands_of_the_document_work() -> None:
    script = changed(block("sh", "keys generate"), {"python ": f"{sys.executable} "})
    ran = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("AUTHSVC_ACCESS_TOKEN_ALGORITHM=ES256\n")
