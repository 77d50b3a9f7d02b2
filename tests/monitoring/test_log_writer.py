"""The log's writer: no line waits longer than promised, and none is lost when a process ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from threading import Event

import pytest

from tests.monitoring.exposition import figures
from tests.support.database_proxy import wait_until
from tests.support.running_service import ROOT, Service, new_database, serving

SECONDS = 20
REQUESTS = 200
MAX_WAITING = 1024
WRITTEN_AFTER = 0.25
"""Seconds. The promise is ten milliseconds; the machine may be busy with other tests."""
IDLE_SECONDS = 0.5

# The writer is as slow as on a disk that hangs, so that lines wait until something else writes.
# A process that ends does not wait the whole second for it.
SLOW = """
from authsvc.monitoring import log_writer
log_writer.COLLECT_SECONDS, log_writer.FINISH_SECONDS = 3600, 0.05
from authsvc.gunicorn import *
"""
APP = """
import logging, os
from authsvc.guard import public
from authsvc.server.boot import boot

app = boot()

@app.get("/error")
@public
def error():
    logging.getLogger("own").error("a line of another logger")
    return {}

@app.get("/fork")
@public
def fork():
    child = os.fork()
    if child == 0:
        logging.getLogger("own").error("a line of the child")
        os._exit(0)
    os.waitpid(child, 0)
    return {}
"""


@contextmanager
def served(folder: Path, *, slow: bool) -> Iterator[Service]:
    """Yield a service of one worker."""
    (folder / "probing.py").write_text(APP)
    (folder / "config.py").write_text(SLOW)
    config = str(folder / "config.py") if slow else "python:authsvc.gunicorn"
    output, url = folder / "output", new_database(folder)
    with serving(url, output, workers=1, app="probing:app", cwd=folder, config=config) as service:
        yield service


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("slow"), slow=True) as service:
        yield service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("running"), slow=False) as service:
        yield service


def get(service: Service, *paths: str) -> str:
    """Send requests over one connection, and return the last body."""
    with service.connected() as connection:
        for path in paths:
            connection.request("GET", path)
            body = connection.getresponse().read().decode()
    return body


def worker_of(service: Service) -> int:
    """Return the process id of the worker that answers, once no other is left."""
    get(service, "/healthz")
    wait_until(lambda: len(service.workers) == 1, SECONDS)
    return service.workers[0]


def paths(service: Service) -> list[str]:
    """Return the paths of the requests in the log; fails on a line that is not whole."""
    text = service.output.read_text()
    assert text.endswith("\n")
    lines = map(json.loads, text.splitlines())
    return [line["path"] for line in lines if line["event"] == "request"]


def writes(worker: int) -> int:
    """Return the number of calls of write(2) so far."""
    (line,) = (
        line for line in Path(f"/proc/{worker}/io").read_text().splitlines() if "syscw" in line
    )
    return int(line.split()[1])


def test_a_killed_worker_loses_no_line_that_is_older_than_the_promise(running: Service) -> None:
    answered: dict[str, float] = {}
    killed = Event()

    def send() -> None:
        with running.connected() as connection:
            for number in range(10**9):
                connection.request("GET", f"/auth/{number}")
                connection.getresponse().read()
                answered[f"/auth/{number}"] = time.monotonic()
                if killed.is_set():
                    return

    worker = worker_of(running)
    with ThreadPoolExecutor(1) as client:
        sending = client.submit(send)
        wait_until(lambda: len(answered) > REQUESTS, SECONDS)
        time.sleep(WRITTEN_AFTER)
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() - WRITTEN_AFTER
        killed.set()
        assert isinstance(sending.exception(), OSError | HTTPException | None)
    old = [path for path, at in answered.items() if at < deadline]
    assert len(old) >= REQUESTS
    written = paths(running)
    assert written[: len(old)] == old
    print(f"{len(answered) - len(written)} of the last lines were lost")


def test_an_idle_worker_sleeps(running: Service) -> None:
    worker = worker_of(running)
    get(running, "/auth/nothing")
    running.log()
    time.sleep(0.1)  # until the writer has looked once more, and the worker's thread is idle

    def turns() -> int:
        """Return how often the worker's threads, without its main loop, have been waiting."""
        status = [
            (thread / "status").read_text()
            for thread in Path(f"/proc/{worker}/task").iterdir()
            if thread.name != str(worker)
        ]
        lines = [line for text in status for line in text.splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

    before = turns()
    time.sleep(IDLE_SECONDS)
    assert turns() == before


def test_a_request_makes_no_system_call_for_its_line(slow: Service) -> None:
    worker = worker_of(slow)
    get(slow, "/auth/nothing")
    before = writes(worker)
    get(slow, *["/auth/nothing"] * REQUESTS)
    assert writes(worker) - before <= REQUESTS + 5  # gunicorn's own: it wakes its main loop


def test_an_error_is_written_at_once_after_the_lines_that_wait(slow: Service) -> None:
    get(slow, "/auth/before")
    assert "/auth/before" not in slow.output.read_text()
    get(slow, "/error")
    *_, before, error = slow.output.read_text().splitlines()
    assert '"/auth/before"' in before
    assert "a line of another logger" in error


def test_a_fork_writes_its_own_lines_at_once_and_none_of_its_parent(slow: Service) -> None:
    get(slow, "/auth/parent", "/fork")
    assert "a line of the child" in slow.output.read_text()
    assert "/auth/parent" not in slow.output.read_text()
    get(slow, "/error")
    assert slow.output.read_text().count("/auth/parent") == 1
    assert slow.output.read_text().count("a line of the child") == 1


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGQUIT", "SIGABRT"])
def test_a_worker_that_ends_writes_what_waits(slow: Service, number: str) -> None:
    worker = worker_of(slow)
    get(slow, f"/auth/{number}/1", f"/auth/{number}/2")
    assert number not in slow.output.read_text()
    os.kill(worker, getattr(signal, number))
    wait_until(lambda: f"Worker exiting (pid: {worker})" in slow.output.read_text(), SECONDS)
    wait_until(lambda: f"/auth/{number}/2" in slow.output.read_text(), SECONDS)
    assert [path for path in paths(slow) if number in path] == [
        f"/auth/{number}/1",
        f"/auth/{number}/2",
    ]


def test_lines_that_wait_are_bounded_and_the_rest_is_counted(slow: Service) -> None:
    worker_of(slow)
    get(slow, "/error")  # nothing waits
    start = len(paths(slow))
    sent = [f"/auth/many/{number}" for number in range(MAX_WAITING + 50)]
    metrics = get(slow, *sent, "/metrics")
    assert figures(metrics)["authsvc_log_lines_dropped_total"] == 51  # /error's own line waits, too
    slow.kill(signal.SIGTERM)
    assert paths(slow)[start:] == ["/error", *sent[: MAX_WAITING - 1]]
    assert slow.process.returncode == 0


START = """
import multiprocessing, os, sys
from authsvc.monitoring import log_writer
log_writer.COLLECT_SECONDS, log_writer.FINISH_SECONDS = 3600, 0.05
from authsvc.monitoring.log_output import log_output

def serve(stop=True):
    log_output.start_writer()
    log_output.write(b"x" * 5000 + b"\\n", soon=True)
    log_output.write(b"the last line\\n", soon=True)
    if stop:
        log_output.stop_writer()
        log_output.write(b"at once\\n", soon=True)

"""
ENDINGS = {
    "sys.exit": ("serve(stop=False); sys.exit(0)", False),
    "an unhandled error": ("serve(stop=False); raise RuntimeError", False),
    "a child of multiprocessing": (
        "multiprocessing.get_context('fork').Process(target=serve).start()",
        True,
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_that_ends_writes_what_waits(ending: str) -> None:
    code, stops = ENDINGS[ending]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", START + code]
    done = subprocess.run(command, env=env, capture_output=True, timeout=60)
    lines = done.stderr.splitlines(keepends=True)
    start = lines.index(b"x" * 4095 + b"\n")
    assert lines[start + 1] == b"the last line\n"
    assert (b"at once\n" in lines) == stops
