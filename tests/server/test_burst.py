"""Issue 14.21: many people log in at once, over a real server with real argon2."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, insert

from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from tests.support.running_service import Service, new_database, serving

pytestmark = pytest.mark.both_servers
PASSWORD = "a horse that is correct"
PEOPLE = 24
SECONDS = 2.0
ROUNDS = 3


@pytest.fixture(scope="module")
def service(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two workers, and an account for each of the people; limits are not multiplied."""
    folder = tmp_path_factory.mktemp("burst")
    url = new_database(folder)
    row = {"password_hash": Passwords(15).hash(PASSWORD), "created_at": datetime.now(UTC)}
    rows = [{"id": uuid4(), "email": email(n), "email_key": email(n), **row} for n in range(PEOPLE)]
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(insert(User), rows)
    output = folder / "output"
    with serving(url, output, server=wsgi_server, anew=True, workers=2) as service:
        yield service


def email(number: int) -> str:
    return f"person-{number}@example.com"


def log_in(service: Service, number: int, start: Barrier) -> tuple[int, float]:
    """Wait for the others, log in, and return the status and the seconds that it took."""
    body = json.dumps({"email": email(number), "password": PASSWORD})
    with service.connected() as connection:
        start.wait()
        began = time.perf_counter()
        connection.request("POST", "/auth/login", body, {"Content-Type": "application/json"})
        status = connection.getresponse().status
        return status, time.perf_counter() - began


def all_log_in(service: Service) -> tuple[set[int], float]:
    """Log all people in at once, and return the statuses and the seconds of the slowest."""
    start = Barrier(PEOPLE)
    with ThreadPoolExecutor(PEOPLE) as people:
        answers = list(people.map(lambda number: log_in(service, number, start), range(PEOPLE)))
    return {status for status, _ in answers}, max(seconds for _, seconds in answers)


@pytest.mark.alone
def test_24_people_who_log_in_at_once_are_all_logged_in_within_two_seconds(
    service: Service,
) -> None:
    rounds = []
    for _ in range(ROUNDS):  # other programs on the machine slow a round, and never speed it up
        rounds.append(all_log_in(service))
        statuses, seconds = rounds[-1]
        if statuses == {200} and seconds < SECONDS:
            return
    pytest.fail(f"statuses and slowest seconds of each round: {rounds}")
