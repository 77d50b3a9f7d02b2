"""After a logout's 204 the session has ended: no crash, restart or race brings it back."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from http.client import IncompleteRead
from pathlib import Path

import pytest

from tests.faults.conftest import Rounds, Serve
from tests.faults.visitor import PASSWORD, Answer, Visitor
from tests.support.postgres_cluster import Cluster


def test_no_racing_refresh_undoes_a_logout(serve: Serve, rounds: Rounds) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(51) as threads:
        alice = Visitor(service.port, "alice@example.com").registered()
        for _ in rounds(1, 10):
            alice.logged_in()
            first = [threads.submit(alice.refresh) for _ in range(25)]
            logout = threads.submit(alice.log_out)
            second = [threads.submit(alice.refresh) for _ in range(25)]
            ended = logout.result()
            refreshes = [refresh.result() for refresh in (*first, *second)]
            assert ended.status == 204
            assert_refused_from(ended, [*refreshes, alice.refresh()])
            time.sleep(1.5)
            for answer in refreshes:
                assert_dead(service.port, answer)


def assert_refused_from(ended: Answer, refreshes: list[Answer]) -> None:
    for answer in refreshes:
        assert answer.status in (200, 401), answer
        if answer.began >= ended.ended:
            assert answer.code == "refresh_token_revoked"


def assert_dead(port: int, refreshed: Answer) -> None:
    if refreshed.status == 200:
        bearer = Visitor(port, "nobody", access_token=refreshed.body["access_token"])
        assert bearer.probe().code == "access_token_revoked"


def test_concurrent_refreshes_all_succeed_with_different_access_tokens(serve: Serve) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(30) as threads:
        alice = Visitor(service.port, "alice@example.com").registered().logged_in()
        answers = list(threads.map(lambda _: alice.refresh(), range(30)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["access_token"] for answer in answers}) == 30


@pytest.mark.both_servers
def test_a_logout_survives_the_kill_of_the_whole_service(serve: Serve, rounds: Rounds) -> None:
    ended: list[Visitor] = []
    for number in rounds(2, 50):
        with serve(workers=1) as service:
            for visitor in ended[-1:]:
                visitor.port = service.port
                assert visitor.refresh().code == "refresh_token_revoked"
            visitor = Visitor(service.port, f"alice{number}@example.com").registered().logged_in()
            kept = visitor.refresh_token
            assert visitor.log_out().status == 204
            service.kill(signal.SIGKILL)
            visitor.refresh_token = kept
            ended.append(visitor)
    with serve(workers=1) as service:
        for visitor in ended:
            visitor.port = service.port
            assert visitor.refresh().code == "refresh_token_revoked"


@pytest.mark.only("sqlite")
def test_logouts_that_share_a_commit_survive_a_kill_if_one_of_them_was_answered(
    serve: Serve, url: str, rounds: Rounds
) -> None:
    slow = Path(f"{url.removeprefix('sqlite:///')}.slow")  # see tests/faults/slow_commits.py
    for number in rounds(1, 20):
        slow.unlink(missing_ok=True)
        with (
            serve(workers=1, app="tests.faults.slow_commits:app") as service,
            ThreadPoolExecutor(6) as threads,
        ):
            alice = Visitor(service.port, f"alice{number}@example.com").registered()
            people = [replace(alice).logged_in() for _ in range(6)]
            kept = [person.refresh_token for person in people]
            slow.touch()
            logouts = [threads.submit(person.log_out) for person in people]
            answered = as_completed(logouts)
            next(answered)
            next(answered)  # the first leads, and the others share the commit after its own
            service.kill(signal.SIGKILL)
        with serve(workers=1) as service:
            for person, refresh_token, logout in zip(people, kept, logouts, strict=True):
                person.port, person.refresh_token = service.port, refresh_token
                if logout.exception() is None and logout.result().status == 204:
                    assert person.refresh().code == "refresh_token_revoked"


@pytest.mark.only("postgres")
def test_a_logout_survives_the_kill_of_postgres(
    serve: Serve, own_cluster: Cluster, rounds: Rounds
) -> None:
    with serve(workers=1) as service:
        alice = Visitor(service.port, "alice@example.com").registered()
        for _ in rounds(1, 20):
            alice.logged_in()
            assert alice.log_out().status == 204
            own_cluster.stop(signal.SIGKILL)
            own_cluster.start()
            assert wait_for(alice.refresh).code == "refresh_token_revoked"


def wait_for(request: Callable[[], Answer]) -> Answer:
    deadline = time.monotonic() + 5
    while (answer := request()).status == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


@pytest.mark.both_servers
def test_a_killed_worker_gives_no_client_a_wrong_answer(serve: Serve, rounds: Rounds) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(6) as threads:
        people = [
            Visitor(service.port, f"{number}@example.com").registered().logged_in()
            for number in range(3)
        ]
        for _ in rounds(1, 20):
            until = time.monotonic() + 1.2
            loads = [threads.submit(keep_asking, person, until) for person in people for _ in "ab"]
            time.sleep(0.3)
            victim = people[0].probe().worker
            os.kill(victim, signal.SIGKILL)
            answered, broken = zip(*(load.result() for load in loads), strict=True)
            assert sum(answered) > 50
            assert sum(broken) <= 8  # at most what the worker's four threads and its queue held
            assert {people[0].probe().worker for _ in range(30)}.isdisjoint({victim})


def keep_asking(person: Visitor, until: float) -> tuple[int, int]:
    """How many requests were answered, and how many connections broke; no answer may be wrong."""
    answered = broken = 0
    while time.monotonic() < until:
        try:
            for answer in (person.refresh(), person.probe()):
                assert answer.status == 200, answer
                answered += 1
        except (ConnectionError, IncompleteRead):
            broken += 1
    return answered, broken


def test_of_twenty_registrations_of_one_address_at_once_one_succeeds(
    serve: Serve, rounds: Rounds
) -> None:
    with serve(workers=2) as service, ThreadPoolExecutor(20) as threads:
        for number in rounds(1, 20):
            person = Visitor(service.port, f"alice{number}@example.com")
            statuses = list(threads.map(register, [person] * 20))
            assert sorted(statuses) == [201] + [409] * 19


def register(person: Visitor) -> int:
    body = {"email": person.email, "password": PASSWORD}
    return person.patient("POST", "/auth/register", body).status
