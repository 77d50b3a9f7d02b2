"""What /proc shows of a process: its memory, CPU time, open files and threads."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process of a server.

    Args:
        pid: its id.
        pss: proportional set size in MB, which divides shared memory among the processes.
        private: MB that it shares with no other process.
        files: open file descriptors.
        threads: number of threads.
    """

    pid: int
    pss: float
    private: float
    files: int
    threads: int


def read_process(pid: int) -> Process | None:
    """Return the process, or None if it has ended."""
    memory, stat = read_memory(pid), read_stat(pid)
    if not (memory and stat):
        return None
    private = memory["Private_Clean"] + memory["Private_Dirty"]
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except FileNotFoundError:
        return None
    return Process(pid, memory["Pss"] / 1e3, private / 1e3, files, threads=int(stat[17]))


def read_memory(pid: int) -> dict[str, int]:
    """Return kilobytes by kind, or nothing if the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def read_cpu_seconds(pid: int) -> float | None:
    """Return the CPU time so far, the kernel's included, or None if the process has ended."""
    stat = read_stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICKS_PER_SECOND if stat else None


def pids_of_session(leader: int) -> list[int]:
    """Return the ids of all processes in the kernel's session that this process leads."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal()
        and (stat := read_stat(int(entry.name)))
        and stat[3] == str(leader)
    ]


def read_stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat after the program's name, which may hold spaces.

    The list is empty if the process has ended.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
