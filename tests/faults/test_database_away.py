"""While the database is away, locked, full or read-only: 503, nothing half done, and recovery."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url

from authsvc.database import our_engine
from tests.conftest import MakeApp
from tests.faults.conftest import Serve
from tests.faults.visitor import PASSWORD, Answer, Visitor
from tests.support.database_proxy import wait_until
from tests.support.people import Person
from tests.support.postgres_cluster import Cluster
from tests.support.running_service import new_database, serving

DEADLINE = 10
BACK_WITHIN = 5


def assert_unavailable(answer: Answer) -> None:
    assert answer.code == "service_unavailable", answer
    assert answer.seconds < DEADLINE
    assert "retry-after" in answer.headers
    assert answer.cookie is None


@pytest.mark.both_servers
@pytest.mark.only("postgres")
def test_while_postgres_is_stopped_requests_are_a_503_and_service_resumes_by_itself(
    serve: Serve, own_cluster: Cluster
) -> None:
    with serve(workers=2) as service:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        bob = Visitor(service.port, "bob@example.com").registered().logged_in()
        assert alice.probe_each_worker(2) == {"ok"}
        own_cluster.stop()
        credentials = {"email": alice.email, "password": PASSWORD}
        assert_unavailable(alice.call("POST", "/auth/login", credentials))
        assert_unavailable(alice.refresh())
        assert_unavailable(alice.log_out())
        assert alice.probe().status == 200  # the list of ended sessions may be 30 seconds old
        own_cluster.start()
        returned = time.monotonic()
        while alice.refresh().status != 200:
            assert time.monotonic() - returned < BACK_WITHIN
            time.sleep(0.1)
        wait_until(lambda: alice.log_out().status == 204, BACK_WITHIN)  # of the other worker
        wait_until(lambda: alice.refresh().code == "refresh_token_revoked", BACK_WITHIN)
        wait_until(lambda: bob.refresh().status == 200, BACK_WITHIN)


@contextmanager
def everything_locked(url: str) -> Iterator[None]:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(parts.database or "", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(
        host=str(parts.query["host"]), user=parts.username, dbname=parts.database
    ) as connection:
        connection.execute("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_lock_that_is_held_for_long_is_a_503_and_the_session_stays(
    serve: Serve, url: str
) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(2) as threads:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        with everything_locked(url):
            login = threads.submit(alice.call, "POST", "/auth/login", credentials_of(alice))
            assert_unavailable(alice.log_out())
            assert_unavailable(login.result())
        assert alice.refresh().status == 200
        assert alice.log_out().status == 204
        assert alice.refresh().code == "refresh_token_revoked"


def credentials_of(visitor: Visitor) -> dict[str, str]:
    return {"email": visitor.email, "password": PASSWORD}


FULL = "PRAGMA max_page_count = 1"  # SQLite takes this as the number of pages that there are
READ_ONLY = "PRAGMA query_only = ON"


@pytest.fixture
def broken(make_app: MakeApp, app: Flask) -> Callable[[str], Flask]:
    """Makes an app on the same database, whose connections obey a PRAGMA."""

    def make(pragma: str) -> Flask:
        other = make_app()
        with other.app_context():
            event.listen(our_engine(), "connect", lambda raw, _: raw.execute(pragma))
        return other

    return make


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("pragma", [FULL, READ_ONLY])
def test_a_full_or_read_only_file_is_a_503_and_nothing_is_lost(
    pragma: str, broken: Callable[[str], Flask], alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    before = session_ids(connection)
    connection.execute(text("VACUUM"))  # other tests may have left pages that are free
    impaired = Person(broken(pragma), alice.email, alice.password)
    refused = [impaired.log_in() for _ in range(60)]
    last = refused[-1]
    assert {answer.status_code for answer in refused} <= {200, 503}
    assert last.status_code == 503
    assert "Set-Cookie" not in last.headers
    opened = [answer for answer in refused if answer.status_code == 200]
    assert len(session_ids(connection)) == len(before) + len(opened)
    assert alice.refresh().status_code == 200
    assert alice.on_another_device().log_in().status_code == 200


@pytest.mark.only("sqlite")
def test_a_logout_on_a_read_only_file_is_a_503_and_the_cookie_stays(
    broken: Callable[[str], Flask], alice: Person
) -> None:
    alice.logged_in()
    impaired = Person(broken(READ_ONLY), alice.email, alice.password)
    impaired.refresh_token = alice.refresh_token
    answer = impaired.log_out()
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers
    assert alice.refresh().status_code == 200
    assert alice.log_out().status_code == 204


@pytest.mark.only("sqlite")
def test_readiness_is_a_503_on_a_read_only_file(
    broken: Callable[[str], Flask], alice: Person
) -> None:
    assert alice.call("GET", "/readyz").status_code == 200
    answer = broken(READ_ONLY).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["code"] == "service_unavailable"


def session_ids(connection: Connection) -> set[object]:
    return set(connection.execute(text("SELECT id FROM refresh_tokens")).scalars())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "small", disk]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


ROOM = 200 * 1024  # bytes


def test_on_a_full_disk_nothing_acknowledged_is_lost_and_space_restores_the_service(
    small_disk: Path, tmp_path: Path
) -> None:
    url = new_database(small_disk)
    with serving(url, tmp_path / "output", rate_limit_factor="1000") as service:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        with nearly_full(small_disk):
            opened = log_in_until_refused(alice)
            assert_unavailable(alice.log_out())
            assert {visitor.refresh().status for visitor in (alice, *opened)} == {200}
        assert alice.log_out().status == 204
        with nearly_full(small_disk):
            opened += log_in_until_refused(alice)
            service.kill(signal.SIGKILL)
    with serving(url, tmp_path / "output", port=service.port) as service:
        assert alice.refresh().code == "refresh_token_revoked"
        assert 2 < len(opened) == live_sessions(small_disk / "authsvc.db")
        assert {visitor.refresh().status for visitor in opened} == {200}
        assert opened[0].log_out().status == 204


@contextmanager
def nearly_full(disk: Path) -> Iterator[None]:
    """Room for some logins, until the end of the block."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - ROOM)
    yield
    filler.unlink()


def live_sessions(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL")
        return int(rows.fetchone()[0])


def log_in_until_refused(visitor: Visitor) -> list[Visitor]:
    """As so many devices as there is room for; the last answer must be a 503."""
    opened: list[Visitor] = []
    while True:
        device = Visitor(visitor.port, visitor.email)
        answer = device.call("POST", "/auth/login", credentials_of(visitor))
        if answer.status != 200:
            assert_unavailable(answer)
            return opened
        device.remember(answer)
        opened.append(device)


@pytest.mark.only("sqlite")
def test_fifty_threads_on_sqlite_get_no_500(serve: Serve) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(50) as threads:
        statuses = set().union(*threads.map(lambda n: a_visit(service.port, n), range(50)))
    assert statuses <= {200, 201, 204}


def a_visit(port: int, number: int) -> set[int]:
    visitor = Visitor(port, f"{number}@example.com")
    credentials = credentials_of(visitor)
    answers = [visitor.patient("POST", "/auth/register", credentials), visitor.log_in()]
    answers += [visitor.refresh(), visitor.call("GET", "/api/me/sessions"), visitor.log_out()]
    return {answer.status for answer in answers}
