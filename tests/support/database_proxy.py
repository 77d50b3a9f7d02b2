"""A TCP proxy before a Postgres cluster, a process of its own: stopped, it is a silent database."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres_cluster import SUPERUSER, Address

ROOT = Path(__file__).parents[2]


class Proxy:
    """A running proxy.

    Args:
        process: the process that forwards.
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Until the end of the block nothing is forwarded; the kernel accepts connections."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)  # until its last thread has stopped
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def proxy_before(cluster: Address, port: int = 0) -> Iterator[Proxy]:
    """Forward to the cluster from a port, by default any free one."""
    command = [sys.executable, "-m", "tests.support.database_proxy"]
    command += [str(port), str(cluster.folder / ".s.PGSQL.5432")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield Proxy(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _main(port: str, target: str) -> None:
    listener = socket.create_server(("127.0.0.1", int(port)))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(target)
        except OSError:
            client.close()
            continue
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def wait_until(condition, seconds: float) -> float:
    """Wait for the condition, and return the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} seconds"
        time.sleep(0.1)
    return time.monotonic() - began


if __name__ == "__main__":
    _main(*sys.argv[1:])
