"""docs/http-clients.md: each listing, run as a reader would run it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from authsvc import clock
from tests.conftest import MakeApp
from tests.support.local_server import local_server
from tests.support.people import Person
from tests.support.programs import program
from tests.support.running_service import ROOT

DOC = (ROOT / "docs" / "http-clients.md").read_text(encoding="utf-8")
ALICE = ("alice@example.com", "correct horse battery staple")
PYTHON = ["Python, requests", "Python, httpx"]

pytestmark = pytest.mark.once


def listing(heading: str) -> str:
    """Return the only listing below that heading."""
    _, _, section = DOC.partition(f"\n## {heading}\n")
    [found] = re.findall(r"^```\w+\n(.*?)^```$", section.partition("\n## ")[0], re.M | re.S)
    return str(found)


class AccessTokensExpire:
    """WSGI middleware that moves the clock by 11 minutes before the first GET of /api/me."""

    def __init__(self, app: Flask, clock: Any) -> None:
        self._app, app.wsgi_app = app.wsgi_app, self
        self._clock = clock
        self.paths: list[str] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/api/me" and "/api/me" not in self.paths:
            self._clock.shift(timedelta(minutes=11))
        self.paths.append(environ["PATH_INFO"])
        return self._app(environ, start_response)


LIFE = ["/auth/login", "/api/me", "/auth/refresh", "/api/me", "/auth/logout"]


@contextmanager
def service(make_app: MakeApp, secure: bool) -> Iterator[tuple[str, list[str]]]:
    """Serve Alice's service; yield its URL, and the paths of the requests so far."""
    app = make_app(cookie_secure=secure)
    Person(app, *ALICE).register()
    with time_machine.travel(clock.now()) as traveller:
        expiring = AccessTokensExpire(app, traveller)
        with local_server(app) as url:
            yield url, expiring.paths


def run(heading: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    text = listing(heading).replace("http://localhost:8000", url)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if heading.startswith("curl"):
        program("curl")
        command = [program("bash"), "-eu", "-c", text]
    elif heading == "Node's fetch":
        command = [program("node", "nodejs"), "--input-type=module", "--eval", text]
    else:
        command = [sys.executable, "-c", text]
    env = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=env)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("heading", PYTHON)
def test_a_python_client_refreshes_over_plain_http_without_secure_cookies(
    make_app: MakeApp, tmp_path: Path, heading: str
) -> None:
    with service(make_app, secure=False) as (url, paths):
        ran = run(heading, url, tmp_path)
    assert ran.stdout == "alice@example.com\n", ran.stderr
    assert paths == LIFE


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("heading", PYTHON)
def test_a_python_client_with_secure_cookies_is_given_the_cause(
    make_app: MakeApp, tmp_path: Path, heading: str
) -> None:
    with service(make_app, secure=True) as (url, paths):
        ran = run(heading, url, tmp_path)
    assert ran.returncode == 1
    assert "RuntimeError: No refresh cookie came with the request" in ran.stderr
    assert "AUTHSVC_COOKIE_SECURE=false" in ran.stderr
    assert paths == LIFE[:3]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("secure", [True, False])
def test_node_keeps_the_cookie_itself(make_app: MakeApp, tmp_path: Path, secure: bool) -> None:
    with service(make_app, secure) as (url, paths):
        ran = run("Node's fetch", url, tmp_path)
    assert ran.stdout == "alice@example.com\n", ran.stderr
    assert paths == LIFE


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("secure", [True, False])
def test_curl_sends_a_secure_cookie_to_localhost(
    make_app: MakeApp, tmp_path: Path, secure: bool
) -> None:
    with service(make_app, secure) as (url, paths):
        paths.append("/api/me")  # its access token does not expire
        ran = run("curl", url, tmp_path)
    assert '"email":"alice@example.com"' in ran.stdout, ran.stderr
    assert paths[1:] == ["/auth/login", "/api/me", "/auth/refresh", "/auth/logout"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("is_required", [True, False])
def test_curl_binds_a_session_to_a_key_and_is_refused_without_it(
    make_app: MakeApp, tmp_path: Path, is_required: bool
) -> None:
    program("openssl")
    app = make_app(require_bound_sessions=is_required)
    Person(app, *ALICE).register()
    with local_server(app) as url:
        ran = run("curl, with a session bound to a key", url, tmp_path)
    assert json.loads(ran.stdout)["code"] == "dpop_proof_missing", ran.stderr
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("app")
def test_the_cause_is_given_only_over_plain_http_with_secure_cookies(make_app: MakeApp) -> None:
    def detail(secure: bool, url: str) -> str:
        client = make_app(cookie_secure=secure).test_client()
        return str(client.post("/auth/refresh", base_url=url).json["detail"])

    assert "AUTHSVC_COOKIE_SECURE=false" in detail(True, "http://localhost")
    for secure, url in ((True, "https://localhost"), (False, "http://localhost")):
        assert detail(secure, url) == "No refresh cookie came with the request: log in."


def test_the_problem_is_explained_with_the_setting(app: Flask) -> None:
    _, _, page = app.test_client().get("/docs").text.partition('<h3 id="refresh_token_missing">')
    assert "AUTHSVC_COOKIE_SECURE=false" in page.partition("</article>")[0]
