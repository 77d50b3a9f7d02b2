"""Connections to one of a service's workers, and which worker has accepted a connection."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.support.running_service import Service

TRIES = 200
ACCEPT_SECONDS = 5.0


@dataclass(frozen=True)
class OneWorker:
    """A service whose requests are all answered by one worker, over one connection."""

    connection: HTTPConnection

    @contextmanager
    def connected(self) -> Iterator[HTTPConnection]:
        yield self.connection


@contextmanager
def one_worker(service: Service, worker: int) -> Iterator[OneWorker]:
    """Open connections until the worker with this process id has accepted one."""
    with ExitStack() as stack:
        for _ in range(TRIES):
            connection = stack.enter_context(service.connected())
            connection.connect()
            if accepted_by(service, connection) == worker:
                break
        else:
            raise AssertionError(f"worker {worker} accepted none of {TRIES} connections")
        yield OneWorker(connection)


def accepted_by(service: Service, connection: HTTPConnection) -> int:
    """Wait until a worker has accepted the connection, and return its process id."""
    end = time.monotonic() + ACCEPT_SECONDS
    while time.monotonic() < end:
        for worker, connections in accepted(service, [connection]).items():
            if connections:
                return worker
    raise AssertionError("no worker has accepted the connection")


def accepted(service: Service, connections: list[HTTPConnection]) -> dict[int, int]:
    """Return how many of the connections each worker has accepted, by its process id."""
    ours = {connection.sock.getsockname()[1] for connection in connections}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = ((_port(row[1]), _port(row[2]), row[9]) for row in rows)
    names = {
        f"socket:[{node}]" for here, there, node in ends if here == service.port and there in ours
    }
    return {
        worker: sum(name in names for name in _open_files(worker)) for worker in service.workers
    }


def _open_files(worker: int) -> Iterator[str]:
    for file in Path(f"/proc/{worker}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            yield str(file.readlink())


def _port(address: str) -> int:
    return int(address.partition(":")[2], 16)
