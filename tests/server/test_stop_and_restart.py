"""Under both servers: a stop and a restart answer every request that was begun, and refuse none.

granian's sockets and further signals are in test_granian.py, gunicorn's in tests/deploy.
"""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.running_service import Service, new_database, serving

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
    wait_until_logged(service, NOWHERE, sum(answers.values()))


def wait_until_logged(service: Service, route: str, requests: int) -> None:
    """Wait for the last lines, which are written some milliseconds after the responses."""
    deadline = time.monotonic() + SECONDS
    while (lines := len(lines_of(service, route))) < requests:
        assert time.monotonic() < deadline, f"{lines} lines of {requests} requests"
        time.sleep(0.05)
    assert lines == requests


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
