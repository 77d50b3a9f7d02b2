"""A server under measurement: started, watched through /proc, and ended by its process id."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

BOOT_SECONDS = 30
END_SECONDS = 10
LOOK_EVERY = 0.002
TICKS = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """It gave no answer; the message holds the end of what it wrote."""


@dataclass(frozen=True)
class Memory:
    """What a server holds, in MB: of all its processes together, and of the largest one.

    The first is its PSS, in which memory that several processes share is counted once.
    """

    shared_out: float
    largest: float


@dataclass(frozen=True)
class Process:
    """What one of a server's processes holds just now.

    Args:
        pid: its id.
        pss, private: MB; the second is what it shares with no other process.
        files: open file descriptors.
        threads: how many there are.
    """

    pid: int
    pss: float
    private: float
    files: int
    threads: int


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
        """What each process has computed so far, by its id; the kernel's work for it counts too."""
        stats = ((pid, _stat(pid)) for pid in self._pids())
        return {pid: (int(stat[11]) + int(stat[12])) / TICKS for pid, stat in stats if stat}

    def memory(self) -> Memory:
        rollups = list(filter(None, (_rollup(pid) for pid in self._pids())))
        return Memory(
            shared_out=sum(rollup["Pss"] for rollup in rollups) / 1e3,
            largest=max(rollup["Rss"] for rollup in rollups) / 1e3,
        )

    def processes(self) -> list[Process]:
        """All of them, the first of them first; one that ends meanwhile is left out."""
        return sorted(filter(None, map(_process, self._pids())), key=lambda process: process.pid)

    def _pids(self) -> list[int]:
        session = str(self.process.pid)
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and (stat := _stat(int(entry.name))) and stat[3] == session
        ]


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, *, port: int, path: str
) -> Iterator[Server]:
    """A server, until the end of the block, whatever ends it.

    Args:
        command: it, in words.
        environment: the whole of it.
        folder: where it runs, and where all that it writes is kept.
        port: where it will listen, on 127.0.0.1.
        path: what it is asked for, to see whether it answers; with which status does not matter.

    Raises:
        NotStarted: it did not.
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
            start_new_session=True,  # Ctrl-C reaches us alone, and then we end it
        )
    try:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - began > BOOT_SECONDS:
                raise NotStarted(output.read_text(errors="replace")[-1000:].strip())
            time.sleep(LOOK_EVERY)
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
    """Ask all of its processes to go; whichever is still there then is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=END_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name, which may hold spaces; none where
    the process has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _process(pid: int) -> Process | None:
    rollup, stat = _rollup(pid), _stat(pid)
    if not (rollup and stat):
        return None
    private = rollup["Private_Clean"] + rollup["Private_Dirty"]
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except FileNotFoundError:
        return None
    return Process(pid, rollup["Pss"] / 1e3, private / 1e3, files, threads=int(stat[17]))


def _rollup(pid: int) -> dict[str, int]:
    """Kilobytes, by kind."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
