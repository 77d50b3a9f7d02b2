"""Start a server, measure its processes, and end it by its process id."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.peers.processes import (
    Process,
    pids_of_session,
    read_cpu_seconds,
    read_memory,
    read_process,
)

BOOT_SECONDS = 30
END_SECONDS = 10
POLL_SECONDS = 0.002


class NotStarted(Exception):
    """The server did not answer; the message holds the end of its output."""


@dataclass(frozen=True)
class Memory:
    """The memory of a server, in MB.

    Args:
        pss: of all its processes. PSS counts memory that processes share once.
        largest: the resident memory of its largest process.
    """

    pss: float
    largest: float


@dataclass(frozen=True)
class Server:
    """A running server with all its processes, which are one session of the kernel's.

    Args:
        process: the first of them.
        port: where it listens, on 127.0.0.1.
        cold_start: milliseconds from its start to its first answer.
    """

    process: subprocess.Popen[bytes]
    port: int
    cold_start: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> dict[int, float]:
        """Return the CPU time of each process so far, the kernel's included, by process id."""
        times = {pid: read_cpu_seconds(pid) for pid in self._pids()}
        return {pid: seconds for pid, seconds in times.items() if seconds is not None}

    def memory(self) -> Memory:
        memories = list(filter(None, map(read_memory, self._pids())))
        return Memory(
            pss=sum(memory["Pss"] for memory in memories) / 1e3,
            largest=max(memory["Rss"] for memory in memories) / 1e3,
        )

    def processes(self) -> list[Process]:
        """Return the processes that still run, the first one first."""
        found = filter(None, map(read_process, self._pids()))
        return sorted(found, key=lambda process: process.pid)

    def _pids(self) -> list[int]:
        return pids_of_session(self.process.pid)


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, *, port: int, path: str
) -> Iterator[Server]:
    """Start a server, and end it with the block, whatever ends the block.

    Args:
        command: starts it.
        environment: all of its environment.
        folder: its working directory, which gets its output too.
        port: where it will listen, on 127.0.0.1.
        path: requested until the server answers, with any status.

    Raises:
        NotStarted: the server did not answer.
    """
    output = folder / "output"
    with output.open("ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the server
        )
    try:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - began > BOOT_SECONDS:
                raise NotStarted(output.read_text(errors="replace")[-1000:].strip())
            time.sleep(POLL_SECONDS)
        yield Server(process, port, (time.perf_counter() - began) * 1000)
    finally:
        _end(process)


def _answers(port: int, path: str) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=BOOT_SECONDS)) as connection:
            connection.request("GET", path)
            connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate all of its processes, and kill those that are still there after a time."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=END_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
