"""The workers of one service share their counts, whichever of them answers."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.exposition import Figures, figures, requests
from tests.support.one_worker import OneWorker, one_worker
from tests.support.running_service import Service, new_database, serving

WORKERS = 3
SECONDS = 20
CREDENTIALS = {"email": "alice@example.com", "password": "a horse that is correct"}


@pytest.fixture
def service(wsgi_server: str, tmp_path: Path) -> Iterator[Service]:
    url = new_database(tmp_path)
    with serving(url, tmp_path / "output", server=wsgi_server, workers=WORKERS) as service:
        all_workers(service)
        yield service


def all_workers(service: Service) -> list[int]:
    """Wait for all workers, and return their process ids."""
    deadline = time.monotonic() + SECONDS
    while len(found := service.workers) != WORKERS:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def call(
    service: Service | OneWorker, method: str, path: str, body: Any = None, **headers: str
) -> Any:
    sent = {"Content-Type": "application/json", **headers}
    with service.connected() as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def measured(service: Service | OneWorker) -> Figures:
    status, text = call(service, "GET", "/metrics")
    assert status == 200
    return figures(text)


def logged_in(service: Service) -> dict[str, str]:
    _, text = call(service, "POST", "/auth/login", CREDENTIALS)
    return {"Authorization": f"Bearer {json.loads(text)['access_token']}"}


@pytest.mark.both_servers
def test_each_worker_reports_the_counts_of_all_workers(service: Service) -> None:
    workers = all_workers(service)
    call(service, "POST", "/auth/register", CREDENTIALS)
    bearer = logged_in(service)
    for number, worker in enumerate(workers, 1):
        with one_worker(service, worker) as one:
            for _ in range(number * 10):
                assert call(one, "GET", "/api/me", **bearer)[0] == 200
            call(one, "GET", "/nowhere")
            call(one, "POST", "/auth/login", CREDENTIALS | {"password": "a wrong one"})
    for worker in workers:
        with one_worker(service, worker) as one:
            metrics = measured(one)
        counted = requests(metrics)
        counted.pop(("authsvc.operations.healthz", 200))  # sent while the test waited for the start
        assert counted == {
            ("authsvc.auth.register", 201): 1,
            ("authsvc.auth.login", 200): 1,
            ("authsvc.resources.show", 200): 60,
            ("none", 404): 3,
            ("authsvc.auth.login", 401): 3,
        }
        assert metrics['authsvc_logins_total{method="password",outcome="good"}'] == 1
        assert metrics['authsvc_logins_total{method="password",outcome="refused"}'] == 3
        assert metrics['authsvc_problems_total{code="not_found"}'] == 3
        assert metrics["authsvc_password_hash_duration_seconds_count"] == 5
        assert 0 < metrics["authsvc_password_hash_duration_seconds_sum"] < 5
        assert metrics["authsvc_passwords_waiting"] == 0
        assert metrics["authsvc_passwords_refused_total"] == 0


@pytest.mark.both_servers
def test_a_killed_worker_keeps_its_counts_and_loses_its_gauges(service: Service) -> None:
    workers = all_workers(service)
    victim = workers[1]
    call(service, "POST", "/auth/register", CREDENTIALS)
    ended, bearer = logged_in(service), logged_in(service)
    assert call(service, "DELETE", "/api/me/sessions", **ended)[0] == 204
    deadline = time.monotonic() + SECONDS
    with one_worker(service, victim) as one:
        while call(one, "GET", "/api/me", **bearer)[0] != 401:  # it learns of it within a second
            assert time.monotonic() < deadline
        before = measured(one)
    assert before["authsvc_revoked_sessions"] == 2
    os.kill(victim, signal.SIGKILL)
    while (after := measured(service))["authsvc_revoked_sessions"] != 0:
        assert time.monotonic() < deadline
    assert requests(after) == requests(before)
    assert requests(after)["authsvc.resources.show", 401] == 1


def test_replaced_workers_reuse_the_files_of_their_predecessors(service: Service) -> None:
    for _ in range(3):
        call(service, "GET", "/nowhere")
        gone = all_workers(service)[0]
        os.kill(gone, signal.SIGKILL)
        while Path(f"/proc/{gone}").exists():
            time.sleep(0.01)
        all_workers(service)
    for worker in all_workers(service):
        with one_worker(service, worker) as one:
            call(one, "GET", "/nowhere")
    assert requests(measured(service))["none", 404] == 6
    numbers = {file.stem.rpartition("_")[2] for file in folder_of(service).iterdir()}
    assert numbers == {"0", "1", "2", "3"}


@pytest.mark.both_servers
def test_the_folder_is_removed_when_the_service_ends(service: Service) -> None:
    folder = folder_of(service)
    assert folder.is_dir()
    first = all_workers(service)[0]
    os.kill(first, signal.SIGTERM)  # a worker's end does not remove it
    while Path(f"/proc/{first}").exists():
        time.sleep(0.01)
    assert folder.is_dir()
    service.kill(signal.SIGTERM)
    assert not folder.exists()


def test_a_start_removes_the_folder_of_a_killed_service_and_keeps_that_of_a_running_one(
    service: Service, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'authsvc.db'}"
    with serving(database, tmp_path / "killed", workers=WORKERS) as killed:
        left = folder_of(killed)
        killed.kill()
    living = folder_of(service)
    for folder in (left, living):
        os.utime(folder, (0, 0))  # made long ago
    with serving(database, tmp_path / "next", workers=WORKERS):
        assert not left.exists()
        assert living.is_dir()
    assert requests(measured(service))["authsvc.operations.healthz", 200] > 0


def folder_of(service: Service) -> Path:
    """Return the folder of the workers' counts, from the files in their memory maps."""
    maps = Path(f"/proc/{all_workers(service)[0]}/maps").read_text()
    (folder,) = {
        line.split()[-1].rpartition("/")[0]
        for line in maps.splitlines()
        if "/authsvc-metrics-" in line
    }
    return Path(folder)
