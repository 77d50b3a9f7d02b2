"""Who gets a place while more requests with passwords come than fit."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from authsvc.problems import ServiceUnavailable
from authsvc.users import hashing
from authsvc.users.hashing import Hashing, NotMeasured

PLACES = 24
HALF = 12
ACTIVE_OF_HALF = 2
TOO_MANY = 5
SECONDS = 10


class Counted(NotMeasured):
    """Metrics that count the refusals."""

    refusals = 0

    def refused(self) -> None:
        self.refusals += 1


class Queue:
    """Requests that stay active until `let_go` is set."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.let_go, self.metrics = Event(), Counted()
        self._hashing, self._threads = Hashing(self.metrics), threads
        self.active: list[bool] = []
        """For each active request, whether a login from its network had failed."""

    def _hold(self, failed_lately: bool) -> None:
        with self._hashing.admitted(failed_lately):
            self.active.append(failed_lately)
            assert self.let_go.wait(SECONDS)

    def enter(self, number: int, *, failed_lately: bool, room: int) -> list[Future[None]]:
        """Let requests enter at once, and return them when all that find no room were refused."""
        futures = [self._threads.submit(self._hold, failed_lately) for _ in range(number)]
        end = time.monotonic() + SECONDS
        while sum(future.done() for future in futures) < number - room:
            assert time.monotonic() < end
            time.sleep(0.001)
        return futures


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(hashing, "QUEUE_SECONDS", SECONDS)
    with ThreadPoolExecutor(2 * (PLACES + TOO_MANY)) as threads:
        queue = Queue(threads)
        yield queue
        queue.let_go.set()


def outcomes(futures: list[Future[None]]) -> tuple[int, int]:
    """Return how many were served and how many refused."""
    errors = [future.exception(SECONDS) for future in futures]
    assert {type(error) for error in errors} <= {type(None), ServiceUnavailable}
    return errors.count(None), len(errors) - errors.count(None)


def until_active(queue: Queue, number: int) -> None:
    end = time.monotonic() + SECONDS
    while len(queue.active) < number:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_networks_whose_login_failed_get_half_of_the_places_and_others_the_rest(
    queue: Queue,
) -> None:
    flood = queue.enter(HALF + TOO_MANY, failed_lately=True, room=HALF)
    others = queue.enter(PLACES - HALF + TOO_MANY, failed_lately=False, room=PLACES - HALF)
    assert queue.metrics.refusals == 2 * TOO_MANY
    queue.let_go.set()
    assert outcomes(flood) == (HALF, TOO_MANY)
    assert outcomes(others) == (PLACES - HALF, TOO_MANY)


def test_without_failures_all_places_are_for_everyone(queue: Queue) -> None:
    others = queue.enter(PLACES + TOO_MANY, failed_lately=False, room=PLACES)
    queue.let_go.set()
    assert outcomes(others) == (PLACES, TOO_MANY)


def test_places_that_others_hold_are_not_kept_for_networks_whose_login_failed(
    queue: Queue,
) -> None:
    others = queue.enter(PLACES + 1, failed_lately=False, room=PLACES)
    flood = queue.enter(TOO_MANY, failed_lately=True, room=0)
    queue.let_go.set()
    assert outcomes(others) == (PLACES, 1)
    assert outcomes(flood) == (0, TOO_MANY)


def test_all_places_are_free_again_afterwards(queue: Queue) -> None:
    flood = queue.enter(HALF + TOO_MANY, failed_lately=True, room=HALF)
    queue.let_go.set()
    assert outcomes(flood) == (HALF, TOO_MANY)
    for failed_lately, room in ((True, HALF), (False, PLACES)):
        queue.let_go.clear()
        again = queue.enter(room + 1, failed_lately=failed_lately, room=room)
        queue.let_go.set()
        assert outcomes(again) == (room, 1)


def test_a_request_does_not_wait_behind_those_of_networks_whose_login_failed(
    queue: Queue,
) -> None:
    flood = queue.enter(HALF, failed_lately=True, room=HALF)
    until_active(queue, ACTIVE_OF_HALF)
    other = queue.enter(1, failed_lately=False, room=1)
    until_active(queue, ACTIVE_OF_HALF + 1)
    assert queue.active == [True] * ACTIVE_OF_HALF + [False]
    queue.let_go.set()
    assert outcomes(flood) == (HALF, 0)
    assert outcomes(other) == (1, 0)


def test_no_request_waits_for_longer_than_the_queue_allows(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third of such requests waits for one of their two turns, and then for an active place."""
    others = queue.enter(hashing.MAX_ACTIVE, failed_lately=False, room=hashing.MAX_ACTIVE)
    until_active(queue, hashing.MAX_ACTIVE)
    monkeypatch.setattr(hashing, "QUEUE_SECONDS", 1)
    began = time.monotonic()
    flood = queue.enter(ACTIVE_OF_HALF + 1, failed_lately=True, room=ACTIVE_OF_HALF + 1)
    assert outcomes(flood) == (0, ACTIVE_OF_HALF + 1)
    assert time.monotonic() - began < 1.7
    queue.let_go.set()
    assert outcomes(others) == (hashing.MAX_ACTIVE, 0)
