"""A private Redis on a free loopback port."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import ConnectionError

from tests.support.programs import program
from tests.support.running_service import free_port

START_SECONDS = 10


class RedisServer:
    """A Redis that writes nothing to disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(port=self.port)

    def start(self) -> None:
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.client.ping()
                return
            except ConnectionError:
                time.sleep(0.02)
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run Redis until the end of the block."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.client.close()
        server.stop()
