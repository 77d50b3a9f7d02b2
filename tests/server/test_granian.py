"""`authsvc serve --server granian`: starting, sockets, signals, and an operator's own app."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from errno import ECONNREFUSED
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.running_service import (
    ROOT,
    Service,
    environment,
    free_port,
    new_database,
    wait_until_it_answers,
)
from tests.support.warm_starts import start_module

pytestmark = [pytest.mark.only("sqlite")]

OWN_APP = """
import time
from pathlib import Path

from flask import request

from authsvc import create_app
from authsvc.guard import public
from authsvc.server.boot import boot

HERE = Path(__file__).parent


def make_app():
    app = create_app()

    @app.get("/slow")
    @public
    def slow():
        (HERE / "begun").touch()
        while not (HERE / "end").exists():
            time.sleep(0.01)
        return "finished"

    @app.get("/stream")
    @public
    def stream():
        def numbers():
            try:
                for number in range(10**9):
                    yield b"%d\\n" % number
                    time.sleep(0.001)
            finally:
                (HERE / "closed").touch()

        return numbers()

    @app.get("/breaks")
    @public
    def breaks():
        def half():
            yield b"half"
            raise RuntimeError("the second half is missing")

        return half(), 200, {"Content-Length": "8"}

    @app.post("/upload")
    @public
    def upload():
        request.max_content_length = 10**7
        return str(sum(map(len, iter(lambda: request.stream.read(4096), b""))))

    return app


app = boot(make_app)
"""


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


SERVE = ("authsvc", "serve", "--server", "granian")


def settings(folder: Path, **changes: str) -> dict[str, str]:
    return {**environment(new_database(folder)), "PYTHONPATH": str(ROOT), **changes}


@contextmanager
def started(
    folder: Path, *words: str, port: int | None = None, away: bool = False
) -> Iterator[Service]:
    """Run the service, with that folder's wsgi.py if it has one.

    Args:
        away: whether its database does not answer.
    """
    port = port or free_port()
    changes = {"PORT": str(port)}
    if away:
        changes["AUTHSVC_DATABASE_URL"] = f"postgresql://alice@127.0.0.1:{free_port()}/authsvc"
    output = folder / "output"
    process = start_module([*SERVE, *words], folder, settings(folder, **changes), output)
    service = Service(process, port, output)
    try:
        wait_until_it_answers(service)
        yield service
    finally:
        if process.poll() is None:
            service.kill()


def refused(folder: Path, *words: str, **changes: str) -> tuple[int, str]:
    """Start a service that ends by itself; return its status and its output."""
    output = folder / "output"
    process = start_module([*SERVE, *words], ROOT, settings(folder, **changes), output)
    return process.wait(60), output.read_text()


def has_two_workers_without(service: Service, killed: int) -> bool:
    return len(set(service.workers) - {killed}) == 2


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != ECONNREFUSED


def wait_for(met: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a function returns something true."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("granian")
    (made / "wsgi.py").write_text(OWN_APP)
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with started(folder, "--workers", "2", "--threads", "6") as service:
        yield service


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reload"], "--reload works with gunicorn alone"),
        (["--preload"], "granian has the options --workers, --threads and --bind"),
        (["--workers", "none"], "granian has the options"),
        (["--bind", "nowhere"], "is not HOST:PORT, [IPv6]:PORT or unix:PATH"),
    ],
)
def test_what_granian_cannot_do_is_refused_with_a_sentence(
    words: list[str], said: str, tmp_path: Path
) -> None:
    status, output = refused(tmp_path, *words)
    assert status in (1, 2)
    assert said in output
    assert "Traceback" not in output


def test_bad_settings_stop_the_boot(tmp_path: Path) -> None:
    status, output = refused(tmp_path, AUTHSVC_ACCESS_TOKEN_TTL="901", PORT=str(free_port()))
    assert status == 1
    assert output.count("AUTHSVC_ACCESS_TOKEN_TTL must be a whole number from 1 to 900") == 1


def test_a_database_that_does_not_answer_does_not_stop_the_boot(tmp_path: Path) -> None:
    with started(tmp_path, "--workers", "1", away=True) as service, service.connected() as asking:
        asking.request("GET", "/readyz")
        assert asking.getresponse().status == 503
    assert "does not answer" in service.output.read_text()


def test_an_address_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, output = refused(tmp_path, PORT=port)
    assert status == 1
    assert f"another program uses 127.0.0.1:{port}" in output


def test_a_killed_worker_is_replaced_at_once_also_twice_in_a_row(service: Service) -> None:
    for _ in range(2):
        killed = service.workers[0]
        os.kill(killed, signal.SIGKILL)
        wait_for(partial(has_two_workers_without, service, killed), seconds=5)
    assert service.process.poll() is None


def test_sighup_replaces_the_workers_and_refuses_no_request(service: Service) -> None:
    answers: Counter[object] = Counter()
    over = threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                with service.connected() as connection:
                    connection.request("GET", "/healthz")
                    answers[connection.getresponse().status] += 1
            except OSError as error:
                answers[repr(error)] += 1

    visitor = threading.Thread(target=visit)
    visitor.start()
    before = service.workers
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: not set(service.workers) & set(before))
    over.set()
    visitor.join()
    assert len(service.workers) == len(before)
    assert answers.keys() == {200}


def test_a_client_that_closes_ends_a_stream(service: Service, folder: Path) -> None:
    with service.connected() as connection:
        connection.request("GET", "/stream")
        assert connection.getresponse().read(4) == b"0\n1\n"
    wait_for((folder / "closed").exists)


def test_a_response_that_breaks_is_not_complete(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(b"GET /breaks HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with client.makefile("rb") as received:
            assert received.read().endswith(b"\r\n\r\nhalf")  # of the 8 bytes that it announced


@pytest.mark.parametrize("size", [100, 100_000, 3_000_000])
@pytest.mark.parametrize("has_length", [True, False])
def test_uploads_arrive_whole(service: Service, size: int, has_length: bool) -> None:
    body = b"x" * size
    with service.connected() as connection:
        for _ in range(2):  # also on a connection that was used
            sent = body if has_length else iter([body[:70_000], body[70_000:]])
            connection.request("POST", "/upload", sent, encode_chunked=not has_length)
            assert connection.getresponse().read() == str(size).encode()


def test_uploads_that_stand_still_hold_no_thread_that_others_need(service: Service) -> None:
    """More than there are threads: three of six may wait for uploads, in each worker."""
    head = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\nx"
    idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(30)]
    for number, client in enumerate(idle):
        client.sendall(head % (9 if number % 2 else 100_000))
    started_at = time.monotonic()
    with service.connected() as connection:
        connection.request("POST", "/upload", b"x" * 100)
        assert connection.getresponse().read() == b"100"
    assert time.monotonic() - started_at < 5
    for client in idle:
        client.close()


def test_sigterm_lets_a_request_in_progress_finish(tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text(OWN_APP)
    port = free_port()
    with started(tmp_path, "--workers", "1", port=port) as service, service.connected() as slow:
        slow.request("GET", "/slow")
        wait_for((tmp_path / "begun").exists)
        service.process.terminate()
        wait_for(lambda: "stopping" in service.output.read_text())
        wait_for(lambda: not accepts(port))
        (tmp_path / "end").touch()
        assert slow.getresponse().read() == b"finished"
        assert service.process.wait(10) == 0
    assert not list(tmp_path.glob("*.db-wal"))
    lines = [json.loads(line) for line in service.output.read_text().splitlines()]
    assert [line["event"] for line in lines if line["event"] != "request"][-1] == "stopping"
    assert "granian with 1 workers of 28 threads" in lines[0]["event"]


def test_it_serves_a_unix_socket_and_removes_its_file(tmp_path: Path) -> None:
    where = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(where))
    words = [*SERVE, "--workers", "1", "--bind", f"unix:{where}"]
    process = start_module(words, ROOT, settings(tmp_path), tmp_path / "output")
    with closing(HTTPConnection("localhost")) as connection:
        connection.sock = socket.socket(socket.AF_UNIX)
        wait_for(lambda: connection.sock.connect_ex(str(where)) == 0)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    process.terminate()
    assert process.wait(20) == 0
    assert not where.exists()


def test_it_serves_the_socket_that_systemd_passes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        descriptor = passed.fileno()
        command = [sys.executable, "-m", *SERVE, "--workers", "1"]
        process = subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, str(descriptor), *command],
            cwd=ROOT,
            env=settings(tmp_path),
            pass_fds=[descriptor],
            stderr=subprocess.DEVNULL,
        )
        port = passed.getsockname()[1]
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/healthz")  # it waits in the queue of the socket
            assert connection.getresponse().status == 200
        process.terminate()
        assert process.wait(20) == 0
