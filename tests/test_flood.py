"""A flood of logins over real gunicorn, with real argon2: everybody else is served meanwhile."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.gunicorn import Service, new_database, serving

EMAIL, PASSWORD = "alice@example.com", "a horse that is correct"
CREDENTIALS = json.dumps({"email": EMAIL, "password": PASSWORD})
JSON = {"Content-Type": "application/json"}
CLIENTS = 8
TOO_MANY = 16
SECONDS = 3.0
MOST_TIMES_IDLE = 5
ROUNDS = 3

# The clients are a process of their own: in this one they would slow what is measured.
HAMMER = f"""
import collections, http.client, json, sys, threading, time
port, seconds, body = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
answers, waits = collections.Counter(), set()
def hammer():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    while time.monotonic() < end:
        connection.request("POST", "/auth/login", body, {JSON!r})
        answer = connection.getresponse()
        answer.read()
        answers[str(answer.status)] += 1
        if answer.status != 200:
            waits.add(answer.headers.get("Retry-After"))
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
threads = [threading.Thread(target=hammer) for _ in range(int(sys.argv[4]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps([answers, sorted(waits, key=str)]))
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Flood:
    """What came of it: how often each status was answered, and each Retry-After of a refusal."""

    statuses: dict[str, int]
    waits: list[str | None]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("flood")
    url = new_database(folder)
    with serving(url, folder / "output", workers=2) as service:
        with service.connected() as connection:
            assert call(connection, "POST", "/auth/register", CREDENTIALS).status == 201
        yield service


def call(
    connection: HTTPConnection, method: str, path: str, body: str = "", **headers: str
) -> Answer:
    connection.request(method, path, body or None, {**(JSON if body else {}), **headers})
    answer = connection.getresponse()
    return Answer(answer.status, dict(answer.headers), answer.read())


def log_in(service: Service) -> Answer:
    with service.connected() as connection:
        return call(connection, "POST", "/auth/login", CREDENTIALS)


@contextmanager
def flooded(service: Service, clients: int) -> Iterator[Flood]:
    """Clients that hammer login for as long as the block runs, and at least some seconds."""
    arguments = [sys.executable, "-c", HAMMER]
    arguments += [str(service.port), str(SECONDS), CREDENTIALS, str(clients)]
    pipe = subprocess.PIPE
    flood = Flood({}, [])
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as hammer:
        try:
            assert hammer.stdout is not None
            assert hammer.stdin is not None
            assert hammer.stdout.readline() == "ready\n"
            hammer.stdin.write("go\n")
            hammer.stdin.flush()
            time.sleep(0.2)
            yield flood
            flood.statuses, flood.waits = json.loads(hammer.stdout.read())
        finally:
            hammer.kill()


def median(connections: list[HTTPConnection], token: str, seconds: float) -> float:
    """The p50 of protected requests, in milliseconds, over connections that are kept alive."""
    took: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        connection = connections[len(took) % len(connections)]
        answer = call(connection, "GET", "/api/me", Authorization=f"Bearer {token}")
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200
        time.sleep(0.005)
    return statistics.median(took)


@pytest.mark.alone
def test_a_flood_of_logins_slows_protected_requests_five_times_at_most(service: Service) -> None:
    token = json.loads(log_in(service).body)["access_token"]
    figures = []
    with ExitStack() as stack:
        connections = [stack.enter_context(service.connected()) for _ in range(4)]
        for _ in range(ROUNDS):  # other programs on the machine slow a round, and never hasten it
            idle = median(connections, token, 1)
            with flooded(service, CLIENTS) as flood:
                busy = median(connections, token, SECONDS - 0.5)
            figures.append((round(busy / idle, 1), round(idle, 2), round(busy, 2), flood.statuses))
            if busy <= MOST_TIMES_IDLE * idle:
                break
    print("p50 in ms: (ratio, idle, busy, logins)", figures)
    assert min(figures)[0] <= MOST_TIMES_IDLE


def test_what_does_not_fit_gets_503_and_refreshes_go_on_and_all_is_well_afterwards(
    service: Service,
) -> None:
    cookie = log_in(service).headers["Set-Cookie"].partition(";")[0]
    with flooded(service, TOO_MANY) as flood, service.connected() as connection:
        refreshed = {
            call(connection, "POST", "/auth/refresh", Cookie=cookie).status for _ in range(20)
        }
    assert refreshed == {200}
    assert set(flood.statuses) == {"200", "503"}
    assert flood.waits == ["2"]
    assert log_in(service).status == 200


def test_who_needs_no_hash_is_given_a_core_before_a_hash_is(service: Service) -> None:
    assert log_in(service).status == 200
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    nicenesses = [
        os.getpriority(os.PRIO_PROCESS, int(thread.name))
        for worker in children.read_text().split()
        for thread in Path(f"/proc/{worker}/task").iterdir()
    ]
    assert max(nicenesses) - min(nicenesses) >= 10


def test_three_people_who_log_in_at_once_are_served(service: Service) -> None:
    with ThreadPoolExecutor(3) as people:
        for _ in range(5):
            answers = list(people.map(lambda _: log_in(service).status, range(3)))
            assert answers == [200] * 3
