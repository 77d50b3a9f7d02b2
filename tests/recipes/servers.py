"""Start a server of the recipes, and wait until its ports are open."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
"""More than any of them needs on a busy machine."""


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, ports: Sequence[int], **environ: str
) -> Iterator[None]:
    """Run a command in that folder until the end of the block, with its output in `log`."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not all(listens(port) for port in ports):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait(timeout=START_SECONDS)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
