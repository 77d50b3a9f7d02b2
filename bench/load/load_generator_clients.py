"""The clients of the load generator. bench/load/load_generator.py says what they read and write."""

import asyncio
import fcntl
import json
import re
import resource
import socket
import sys
import termios
import time
from collections import Counter
from dataclasses import asdict

from bench.load.load_generator import LoadPlan, Outcome

TIMEOUT_SECONDS = 10
"""How long a client waits for its response."""
RETRANSMITTED = slice(100, 104)
"""The bytes of the kernel's tcp_info with the number of retransmissions (linux/tcp.h)."""

_Sending = asyncio.Task[float] | asyncio.Task[None]


class NotAccepted(Exception):
    """The service's queue of connections was full all the time."""


class Clients:
    """Sends the requests of a plan, and counts what becomes of them."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._request = plan.request.encode()
        self._deadline = time.monotonic() + plan.seconds
        self._connecting: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._statuses: Counter[str] = Counter()
        self._retry_after: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._accepted_late = 0
        self._never_accepted = 0
        self._latencies: list[float] = []

    async def run(self) -> Outcome:
        began = time.monotonic()
        tasks = await (self._send_at_rate() if self._plan.rate else self._send_in_turn())
        seconds = time.monotonic() - began
        print("sent", flush=True)
        for task in self._connecting:
            task.cancel()
        await asyncio.wait(tasks)
        return Outcome(
            seconds,
            self._sent,
            dict(self._statuses),
            dict(self._retry_after),
            dict(self._failures),
            self._accepted_late,
            self._never_accepted,
            self._latencies,
        )

    async def _send_at_rate(self) -> list[_Sending]:
        """Send at the plan's rate, or as close to it as this process gets CPU time."""
        assert self._plan.rate
        due = time.monotonic()
        tasks: list[_Sending] = []
        while (now := time.monotonic()) < self._deadline:
            while due <= now:
                tasks.append(asyncio.create_task(self._request_once()))
                due += 1 / self._plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return tasks

    async def _send_in_turn(self) -> list[_Sending]:
        """Let each client send its next request after the response to the last one."""
        tasks: list[_Sending] = [
            asyncio.create_task(self._repeat()) for _ in range(self._plan.clients)
        ]
        await asyncio.sleep(self._deadline - time.monotonic())
        return tasks

    async def _repeat(self) -> None:
        while time.monotonic() < self._deadline:
            seconds = await self._request_once()
            if seconds and self._plan.honours_retry_after:
                await asyncio.sleep(min(seconds, max(0.0, self._deadline - time.monotonic())))

    async def _request_once(self) -> float:
        """Send one request, and return the seconds of its `Retry-After`, or 0."""
        self._sent += 1
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._exchange()
        except (OSError, ValueError) as error:  # a timeout is an OSError
            self._failures[type(error).__name__] += 1
            return 0
        except NotAccepted:
            self._never_accepted += 1
            return 0

    async def _exchange(self) -> float:
        began = time.perf_counter()
        with socket.socket() as connection:
            connection.setblocking(False)
            number = self._sent
            if self._plan.addresses:
                connection.bind((f"127.1.0.{number % self._plan.addresses + 1}", 0))
            await self._connect(connection)
            request = self._request.replace(b"{number}", b"%08d" % number)
            await asyncio.get_running_loop().sock_sendall(connection, request)
            response = await _receive(connection)
            late = _was_refused_at_first(connection)
        status = int(response[9:12])
        self._statuses[str(status)] += 1
        self._accepted_late += late
        if status == 200 and not late:
            self._latencies.append((time.perf_counter() - began) * 1000)
        return self._read_retry_after(response) if status == 503 else 0

    async def _connect(self, connection: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connecting.add(task)
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, ("127.0.0.1", self._plan.port))
        except asyncio.CancelledError:  # by the timeout, or at the end of the load
            raise NotAccepted from None
        finally:
            self._connecting.discard(task)

    def _read_retry_after(self, response: bytes) -> float:
        found = re.search(rb"\r\n(?i:retry-after): (\d+)\r\n", response)
        self._retry_after[found[1].decode() if found else "None"] += 1
        return float(found[1]) if found else 0


async def _receive(connection: socket.socket) -> bytes:
    """Return what the service sends until it closes the connection."""
    loop, response = asyncio.get_running_loop(), b""
    try:
        while part := await loop.sock_recv(connection, 65536):
            response += part
    except asyncio.CancelledError:
        if not _was_delivered(connection):
            raise NotAccepted from None
        raise
    return response


def _was_refused_at_first(connection: socket.socket) -> bool:
    """Return whether the service's queue was full, so that this kernel tried more than once.

    The kernel retries a connection after one second, three and seven. If the connection is half
    open, it sends the request again after 0.2 s, 0.4 s and so on.
    """
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RETRANSMITTED.stop)
    return int.from_bytes(info[RETRANSMITTED], sys.byteorder) > 0


def _was_delivered(connection: socket.socket) -> bool:
    """Return whether the service's kernel has acknowledged the request.

    A full queue may leave a connection half open: this kernel considers it connected and sends the
    request again and again, while the service's kernel has no room for it.
    """
    unacknowledged = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(unacknowledged, sys.byteorder) == 0


def main() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    plan = LoadPlan(**json.loads(sys.stdin.readline()))
    print("started", flush=True)
    print(json.dumps(asdict(asyncio.run(_run(plan)))))


async def _run(plan: LoadPlan) -> Outcome:
    return await Clients(plan).run()


if __name__ == "__main__":
    main()
