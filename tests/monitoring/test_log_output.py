"""A log that cannot be written costs no answer: each line is written soon, or counted."""

import fcntl
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.exposition import figures
from tests.support.running_service import (
    ROOT,
    Service,
    environment,
    free_port,
    new_database,
    wait_until_it_answers,
)
from tests.support.warm_starts import Started, start_module

REQUESTS = 200
MORE_THAN_FIT = 1000
"""Requests whose lines fill a pipe and a socket that are not read."""
CLIENTS = 4
SECONDS = 20
APP = """
import logging, warnings
from flask import request
from authsvc.guard import public
from authsvc.server.boot import boot

app = boot()
own = logging.getLogger("own")
own.addHandler(logging.StreamHandler())
own.propagate = False

@app.get("/noisy")
@public
def noisy():
    logging.getLogger("library").warning("a long message: %s", "x" * 10_000)
    own.warning("from a handler of its own")
    request.environ["wsgi.errors"].write("from wsgi.errors\\n")
    warnings.warn("from warnings")
    try:
        raise RuntimeError("y" * 3_000)
    except RuntimeError as error:
        app.logger.exception("the first of two: %s", error)
    return {}
"""


@contextmanager
def serving_with(stderr: int, folder: Path, *, inherits: bool = False) -> Iterator[Service]:
    """Yield a service of two workers that logs to what this descriptor is open for.

    Args:
        inherits: whether it gets the descriptor itself, which takes longer: a socket cannot be
            opened anew.
    """
    (folder / "noisy.py").write_text(APP)
    (folder / "output").touch()
    port = free_port()
    words = ["gunicorn", "--config", "python:authsvc.gunicorn", "--workers", "2", "noisy:app"]
    own = {"PORT": str(port), "PYTHONPATH": str(ROOT)}
    whole = environment(new_database(folder)) | own
    process: subprocess.Popen[bytes] | Started
    if inherits:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=whole,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    else:
        process = start_module(words, folder, whole, Path(f"/proc/{os.getpid()}/fd/{stderr}"))
    service = Service(process, port, folder / "output")
    try:
        wait_until_it_answers(service)
        yield service
    finally:
        service.kill()


def get(service: Service, path: str, times: int = 1, **headers: str) -> list[int]:
    """Send a request some times over one connection, and return the statuses."""
    statuses = []
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with service.connected() as connection:
        for _ in range(times):
            connection.request("GET", path, headers=sent)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    return statuses


def send_all(service: Service, path: str = "/auth/nothing", requests: int = REQUESTS) -> list[int]:
    """Send all requests from several clients at once."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        each = [clients.submit(get, service, path, requests // CLIENTS) for _ in range(CLIENTS)]
        return [status for one in each for status in one.result()]


def dropped(service: Service) -> int:
    with service.connected() as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return int(figures(text)["authsvc_log_lines_dropped_total"])


def wait_for_dropped(service: Service, before: int, lines: int) -> None:
    """Wait until so many lines were dropped, and those of the requests that ask for the number.

    On a busy machine a worker may log a few more, and the line of the request that asked for the
    number before may have been written.
    """
    asked, deadline = 1, time.monotonic() + SECONDS
    while not -1 <= (excess := dropped(service) - before - lines - asked) <= 4:
        assert time.monotonic() < deadline, excess
        asked += 1
        time.sleep(0.05)


def wait_for_writers(service: Service) -> tuple[int, int]:
    """Wait until no line waits. Return how many were dropped, and how often this asked for it."""
    asked, last, deadline = 1, dropped(service), time.monotonic() + SECONDS
    while True:
        time.sleep(0.1)
        asked, now = asked + 1, dropped(service)
        if now - last <= 1:  # the line of the request that asked for `last`
            return now, asked
        assert time.monotonic() < deadline
        last = now


def read_what_is_there(reader: int) -> bytes:
    """Read until nothing arrives for a moment."""
    found = b""
    while select.select([reader], [], [], 0.2)[0]:
        found += os.read(reader, 65536)
    return found


def read_until(reader: int, text: bytes) -> bytes:
    found, deadline = b"", time.monotonic() + SECONDS
    while text not in found:
        assert time.monotonic() < deadline, found
        found += read_what_is_there(reader)
    return found


def objects(text: bytes) -> list[dict[str, Any]]:
    """Return the lines' JSON objects; fails on a line that is not whole."""
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:  # the test has closed it
            continue


def test_requests_are_answered_while_the_disk_of_the_log_is_full(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full, serving_with(full.fileno(), tmp_path) as service:
        before = dropped(service)
        assert send_all(service) == [404] * REQUESTS
        wait_for_dropped(service, before, REQUESTS)
        assert get(service, "/noisy", times=20) == [200] * 20


def test_requests_are_answered_after_the_reader_of_the_log_has_gone(
    pipe: tuple[int, int], tmp_path: Path
) -> None:
    reader, writer = pipe
    with serving_with(writer, tmp_path) as service:
        os.close(writer)
        os.close(reader)
        before = dropped(service)  # not earlier: the line of this request must be dropped too
        assert send_all(service) == [404] * REQUESTS
        wait_for_dropped(service, before, REQUESTS)
        assert get(service, "/noisy", times=20) == [200] * 20


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_lines_for_an_unread_log_are_written_whole_or_counted_and_later_ones_arrive(
    pipe: tuple[int, int], tmp_path: Path, kind: str
) -> None:
    ours, theirs = socket.socketpair()
    reader, writer = pipe if kind == "pipe" else (ours.fileno(), theirs.fileno())
    inherits = kind == "socket"
    with ours, theirs, serving_with(writer, tmp_path, inherits=inherits) as service:
        assert send_all(service, requests=MORE_THAN_FIT) == [404] * MORE_THAN_FIT
        counted, asked = wait_for_writers(service)
        assert counted > asked
        lines = objects(read_what_is_there(reader))
        written = [line for line in lines if line["event"] == "request"]
        # The last line of /metrics was written or dropped after it was asked for.
        assert len(written) + counted - MORE_THAN_FIT in (asked - 1, asked)
        get(service, "/auth/nothing", X_Request_ID="after-the-pause")
        assert b"after-the-pause" in read_until(reader, b"after-the-pause")
        assert dropped(service) - counted in (0, 1)  # /metrics' own line


def test_every_logger_gives_up_on_an_unread_log(pipe: tuple[int, int], tmp_path: Path) -> None:
    reader, writer = pipe
    with serving_with(writer, tmp_path) as service:
        assert send_all(service, "/noisy") == [200] * REQUESTS
        assert dropped(service) > REQUESTS
        read_what_is_there(reader)
        get(service, "/noisy", X_Request_ID="after-the-pause")
        text = read_until(reader, b'"route":"noisy"')
    for part in (b"from a handler of its own\n", b"from wsgi.errors\n", b"the first of two"):
        assert part in text


def test_a_long_line_is_cut_in_the_middle_and_stays_json(
    pipe: tuple[int, int], tmp_path: Path
) -> None:
    reader, writer = pipe
    with serving_with(writer, tmp_path) as service:
        get(service, "/noisy")
        text = read_until(reader, b'"route":"noisy"')
    lines = [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]
    assert max(map(len, text.splitlines(keepends=True))) <= 4096
    (message,) = (line["event"] for line in lines if "a long message" in line["event"])
    assert re.fullmatch(r"a long message: x+ \[\.\.\.\] x+", message)
    (error,) = (line for line in lines if "exception" in line)
    assert error["exception"].startswith("Traceback")
    assert error["event"].startswith("the first of two: y")


def test_requests_are_answered_while_the_terminal_of_the_log_is_not_read(tmp_path: Path) -> None:
    reader, writer = os.openpty()
    try:
        with serving_with(writer, tmp_path) as service:
            assert send_all(service) == [404] * REQUESTS
            assert dropped(service) > 0
            read_what_is_there(reader)
            get(service, "/auth/nothing", X_Request_ID="after-the-pause")
            assert read_until(reader, b"after-the-pause")
    finally:
        os.close(reader)
        os.close(writer)


def test_the_open_file_that_others_share_stays_blocking(
    pipe: tuple[int, int], tmp_path: Path
) -> None:
    _, writer = pipe
    with serving_with(writer, tmp_path, inherits=True) as service:
        get(service, "/auth/nothing")
        assert not fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK
