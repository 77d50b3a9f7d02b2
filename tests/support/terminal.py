"""A command in a pseudo-terminal, as a person runs it."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 30


class Terminal:
    """A running command: its output so far, and its input."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process
        self.shown = b""

    def wait_for(self, words: str) -> None:
        while words.encode() not in self.shown:
            self.shown += os.read(self._descriptor, 1024)

    def type(self, line: str) -> None:
        os.write(self._descriptor, f"{line}\n".encode())

    def exit_code(self) -> int:
        return self._process.wait(timeout=SECONDS)


@contextmanager
def at_terminal(*words: str, env: dict[str, str], cwd: Path | None = None) -> Iterator[Terminal]:
    """Run `authsvc` with these arguments until the end of the block."""
    descriptor, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "authsvc", *words],
        env=env,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(descriptor, process)
    finally:
        process.kill()
        process.wait()
        os.close(descriptor)
