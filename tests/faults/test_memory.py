"""A worker's memory does not grow with the number of logins that it has served."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.conftest import Rounds, Serve
from tests.faults.visitor import Visitor
from tests.support.running_service import Service

WORKERS = 2
CLIENTS = 4
"""Enough to keep two workers busy, and few enough that no login is refused for long."""
LOGINS = 100
"""In each of 200 rounds: 20,000."""
MAX_GROWTH = 2.0
"""Megabytes from the end of the first tenth of the rounds, when caches are full, to the end. If a
worker kept the tokens of each login, 20,000 logins would add 20 MB to each of two workers."""


@pytest.mark.only("sqlite")
@pytest.mark.soak
def test_the_private_memory_of_each_worker_stays_flat(serve: Serve, rounds: Rounds) -> None:
    with serve(workers=WORKERS) as service, ThreadPoolExecutor(CLIENTS) as clients:
        alice = Visitor(service.port, "alice@example.com").registered()
        measured = []
        for _ in rounds(0, 200):
            assert set(clients.map(log_in, [alice] * LOGINS)) == {200}
            measured.append(private_memory(service))
        before, after = measured[(len(measured) - 1) // 10], measured[-1]
        print(f"MB of each worker: {before} after the first tenth, {after} at the end")
        assert before.keys() == after.keys()
        assert len(after) == WORKERS
        for worker, megabytes in after.items():
            assert megabytes - before[worker] <= MAX_GROWTH


def log_in(person: Visitor) -> int:
    """Log in as on a new device, so that no earlier session is replaced; return the status."""
    return Visitor(person.port, person.email).log_in().status


def private_memory(service: Service) -> dict[int, float]:
    """Return the megabytes that each worker shares with no other process, by process id."""
    return {worker: sum(private_parts(worker)) / 1024 for worker in workers(service)}


def workers(service: Service) -> list[int]:
    master = service.process.pid
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def private_parts(pid: int) -> Iterator[int]:
    """Yield the kilobytes of private memory, changed and unchanged."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, kilobytes = line.partition(":")
        if name in ("Private_Clean", "Private_Dirty"):
            yield int(kilobytes.split()[0])
