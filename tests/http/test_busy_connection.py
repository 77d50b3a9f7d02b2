"""A client that sends one request after another is served by one thread of gunicorn's worker."""

from pathlib import Path

from tests.http.raw import Connection, request
from tests.support.running_service import Service

REQUESTS = 400
"""More than the 8 KiB that gunicorn reads at once, so that some are still in the kernel."""


def times_it_waited(thread: int, process: int) -> int:
    """Return how often a thread of a process has waited since it began."""
    status = Path(f"/proc/{process}/task/{thread}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))
    return int(line.split()[1])


def test_the_main_thread_is_not_woken_for_each_request(service: Service) -> None:
    (worker,) = service.workers
    before = times_it_waited(worker, worker)
    with Connection(service.port) as connection:
        answers = connection.answers(request("GET /healthz") * REQUESTS)
    assert [answer.status for answer in answers] == [200] * REQUESTS
    assert times_it_waited(worker, worker) - before < REQUESTS / 4
