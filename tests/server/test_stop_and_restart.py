"""Under both servers: a stop and a restart answer every request that was begun, and refuse none."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.gunicorn_server import (
    GRANIAN,
    ROOT,
    Service,
    environment,
    new_database,
    serving,
)

pytestmark = pytest.mark.both_servers

SECONDS = 15
IN_PROGRESS = 12
"""Requests that take 0.7 s, more than there are workers."""
VISITORS = 4
NOWHERE = "/nowhere"
"""A path whose answers are logged; those of /healthz are not."""

APP = """
import time
from authsvc.guard import public
from authsvc.server.boot import boot

app = boot()

@app.get("/slow")
@public
def slow():
    time.sleep(0.7)
    return {"done": True}
"""


@pytest.fixture
def service(wsgi_server: str, tmp_path: Path) -> Iterator[Service]:
    """Two workers of an app with a slow route."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "wsgi.py").write_text(APP)
    url, output = new_database(tmp_path), tmp_path / "output"
    with serving(url, output, server=wsgi_server, workers=2, cwd=folder) as service:
        yield service


def get(service: Service, path: str) -> int:
    """Return the status; the whole response must arrive."""
    with service.connected() as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status


def lines_of(service: Service, route: str) -> list[dict[str, object]]:
    """Return what is logged of requests to that path."""
    lines = map(json.loads, service.output.read_text().splitlines())
    return [line for line in lines if line["event"] == "request" and line["path"] == route]


@contextmanager
def visitors(service: Service, path: str) -> Iterator[Counter[object]]:
    """Visit by several clients over new connections until the end of the block; count answers."""
    answers: Counter[object] = Counter()
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                answers[get(service, path)] += 1
            except (OSError, ValueError) as error:
                answers[repr(error)] += 1

    with ThreadPoolExecutor(VISITORS) as threads:
        visits = [threads.submit(visit) for _ in range(VISITORS)]
        try:
            yield answers
        finally:
            over.set()
            for done in visits:
                done.result()


def test_sigterm_answers_what_was_begun_and_logs_each_once(service: Service) -> None:
    with ThreadPoolExecutor(IN_PROGRESS) as clients:
        begun = [clients.submit(get, service, "/slow") for _ in range(IN_PROGRESS)]
        time.sleep(0.4)
        service.process.terminate()
        assert [client.result() for client in begun] == [200] * IN_PROGRESS
    assert service.process.wait(SECONDS) == 0
    assert len(lines_of(service, "/slow")) == IN_PROGRESS
    assert "Traceback" not in service.output.read_text()
    assert not (service.output.parent / "authsvc.db-wal").exists()
    with pytest.raises(ConnectionRefusedError):
        get(service, "/healthz")


def test_sighup_under_load_refuses_and_breaks_no_request(service: Service) -> None:
    before = set(service.workers)
    with visitors(service, NOWHERE) as answers:
        for _ in range(2):
            old = set(service.workers)
            service.process.send_signal(signal.SIGHUP)
            wait_for_new_workers(service, old)
        sent = sum(answers.values())
        wait_until_more(answers, sent)
    assert set(answers) == {404}
    assert before.isdisjoint(service.workers)
    assert len(lines_of(service, NOWHERE)) == sum(answers.values())


def wait_for_new_workers(service: Service, old: set[int]) -> None:
    deadline = time.monotonic() + SECONDS
    while old & (now := set(service.workers)) or len(now) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until_more(answers: Counter[object], sent: int) -> None:
    deadline = time.monotonic() + SECONDS
    while sum(answers.values()) < sent + 10:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_workers_are_replaced_at_once_again_and_again(service: Service) -> None:
    for _ in range(3):
        old = set(service.workers)
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        wait_for_new_workers(service, old)
        assert get(service, "/healthz") == 200
    assert service.process.poll() is None


def command_of(wsgi_server: str) -> list[str]:
    if wsgi_server == GRANIAN:
        return [sys.executable, "-m", "authsvc", "serve", "--server", GRANIAN]
    return [sys.executable, "-m", "gunicorn", "--config", "python:authsvc.gunicorn", "wsgi:app"]


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(str(self._path))


def test_a_unix_socket_serves_and_its_file_goes_with_the_service(
    wsgi_server: str, tmp_path: Path
) -> None:
    """What proxies would set is read only as far as AUTHSVC_TRUSTED_PROXIES says."""
    path, output = tmp_path / "socket", tmp_path / "output"
    command = [*command_of(wsgi_server), "--workers", "1", "--bind", f"unix:{path}"]
    env = {**environment(new_database(tmp_path)), "PYTHONPATH": str(ROOT)}
    with (
        output.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log) as process,
    ):
        try:
            answer = first_answer(process, path, output)
            forged = {"X-Forwarded-Proto": "https", "SCRIPT_NAME": "/x", "PATH_INFO": "/y"}
            assert "Strict-Transport-Security" not in answer
            with closing(UnixConnection(path)) as connection:
                connection.request("GET", "/healthz", headers=forged)
                got = connection.getresponse()
                assert got.status == 200
                assert "Strict-Transport-Security" not in got.headers
        finally:
            process.terminate()
    assert process.returncode == 0
    assert not path.exists()


def first_answer(process: "subprocess.Popen[bytes]", path: Path, output: Path) -> str:
    """Wait until the service answers, and return the headers."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with closing(UnixConnection(path)) as connection:
                connection.request("GET", "/readyz")
                answer = connection.getresponse()
                assert answer.status == 200
                return str(answer.headers)
        except OSError:
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
