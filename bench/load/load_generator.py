"""A crowd of clients, each request over a new connection: a process of their own.

python -m bench.load.load_generator reads what to do, as JSON, from standard input. It writes
`begun`, then `over` when it sends no more, and then what came of it, as JSON.
"""

import asyncio
import fcntl
import json
import re
import resource
import socket
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import nan

PATIENCE = 10
"""Seconds that a client waits for its answer."""
RETRANSMITTED = slice(100, 104)
"""Where the kernel tells how much it had to send again (linux/tcp.h: tcp_info)."""


@dataclass(frozen=True)
class Crowd:
    """What they do.

    Args:
        port: of the service.
        request: all of it; it must ask for the connection's end.
        seconds: for how long requests are sent.
        rate: how many are sent each second, whether or not earlier ones were answered; without
            it each client sends its next request when it has an answer.
        clients: how many there are, without a rate.
        obedient: whether a client that was told to come back later does.
    """

    port: int
    request: str
    seconds: float
    rate: float | None = None
    clients: int = 0
    obedient: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Args:
        seconds: how long it took to send all.
        sent: how many requests there were.
        statuses: of the answers.
        waits: what the answers with 503 said in `Retry-After`; "None" where they said nothing.
        broken: why others had no answer.
        late: how many were let in only at a later attempt, since the queue was full.
        kept_out: how many were not let in at all, until they lost patience or all was over.
        served: milliseconds from the first attempt to the whole answer, of those let in at once
            and answered with 200.
    """

    seconds: float
    sent: int
    statuses: dict[str, int]
    waits: dict[str, int]
    broken: dict[str, int]
    late: int
    kept_out: int
    served: list[float]

    @property
    def rate(self) -> float:
        """Requests answered with 200, a second."""
        return self.statuses.get("200", 0) / self.seconds

    def percentile(self, part: int) -> float:
        """Of `served`; not a number where none was."""
        ordered = sorted(self.served)
        return ordered[(len(ordered) - 1) * part // 100] if ordered else nan


@dataclass
class Running:
    """A crowd that is at work; `wait_until_over` and then `outcome` are asked once."""

    process: "subprocess.Popen[str]"

    def wait_until_over(self) -> None:
        """Until nothing more is sent."""
        self._expect("over")

    def outcome(self) -> Outcome:
        assert self.process.stdout is not None
        return Outcome(**json.loads(self.process.stdout.read()))

    def _expect(self, word: str) -> None:
        assert self.process.stdout is not None
        told = self.process.stdout.readline().strip()
        assert told == word, f"the crowd said {told!r}"


@contextmanager
def gathered(crowd: Crowd) -> Iterator[Running]:
    """The crowd, at work since the beginning of the block."""
    command = [sys.executable, "-m", "bench.load.load_generator"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(asdict(crowd)) + "\n")
            process.stdin.flush()
            running = Running(process)
            running._expect("begun")
            yield running
        finally:
            process.kill()


class KeptOut(Exception):
    """The service's queue was full all the time."""


class Work:
    """The clients themselves."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._request = crowd.request.encode()
        self._ends = time.monotonic() + crowd.seconds
        self._outside: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._statuses: Counter[str] = Counter()
        self._waits: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._late = 0
        self._kept_out = 0
        self._served: list[float] = []

    async def run(self) -> Outcome:
        began = time.monotonic()
        tasks = await (self._flow() if self._crowd.rate else self._circle())
        seconds = time.monotonic() - began
        print("over", flush=True)
        for task in self._outside:  # they give up
            task.cancel()
        await asyncio.wait(tasks)
        return Outcome(
            seconds,
            self._sent,
            dict(self._statuses),
            dict(self._waits),
            dict(self._broken),
            self._late,
            self._kept_out,
            self._served,
        )

    async def _flow(self) -> list[asyncio.Task[None]]:
        """At the rate, as far as this process has a processor."""
        assert self._crowd.rate
        due, tasks = time.monotonic(), []
        while (now := time.monotonic()) < self._ends:
            while due <= now:
                tasks.append(asyncio.create_task(self._once()))
                due += 1 / self._crowd.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return tasks

    async def _circle(self) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._again()) for _ in range(self._crowd.clients)]
        await asyncio.sleep(self._ends - time.monotonic())
        return tasks

    async def _again(self) -> None:
        while time.monotonic() < self._ends:
            seconds = await self._once()
            if seconds and self._crowd.obedient:
                await asyncio.sleep(min(seconds, max(0.0, self._ends - time.monotonic())))

    async def _once(self) -> float:
        """One request; the seconds after which it may be tried again."""
        self._sent += 1
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask()
        except (OSError, ValueError) as error:  # a timeout is an OSError
            self._broken[type(error).__name__] += 1
            return 0
        except KeptOut:
            return 0

    async def _ask(self) -> float:
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        assert me is not None
        began = time.perf_counter()
        with socket.socket() as wire:
            wire.setblocking(False)
            self._outside.add(me)
            try:
                await loop.sock_connect(wire, ("127.0.0.1", self._crowd.port))
            except asyncio.CancelledError:  # by the timeout, or by the end
                self._kept_out += 1
                raise KeptOut from None
            finally:
                self._outside.discard(me)
            await loop.sock_sendall(wire, self._request)
            answer = b""
            try:
                while part := await loop.sock_recv(wire, 65536):
                    answer += part
            except asyncio.CancelledError:
                if not _arrived(wire):
                    self._kept_out += 1
                    raise KeptOut from None
                raise
            late = _tried_again(wire)
        status = int(answer[9:12])
        self._statuses[str(status)] += 1
        self._late += late
        if status == 200 and not late:
            self._served.append((time.perf_counter() - began) * 1000)
        if status != 503:
            return 0
        told = re.search(rb"\r\nRetry-After: (\d+)\r\n", answer)
        self._waits[told[1].decode() if told else "None"] += 1
        return float(told[1]) if told else 0


def _tried_again(wire: socket.socket) -> bool:
    """Whether there was no room for it at first, so that our kernel knocked more than once.

    It does so after a second, after three and after seven; a request that follows upon half a
    greeting it sends again after 0.2 s, 0.4 s and so on.
    """
    told = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RETRANSMITTED.stop)
    return int.from_bytes(told[RETRANSMITTED], sys.byteorder) > 0


def _arrived(wire: socket.socket) -> bool:
    """Whether the other side's kernel has taken what was sent.

    With a full queue it may have begun to greet a client that it then has no room for. The
    client's kernel thinks that it is connected, and sends the request again and again.
    """
    unacknowledged = fcntl.ioctl(wire, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(unacknowledged, sys.byteorder) == 0


def main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(**json.loads(sys.stdin.readline()))
    print("begun", flush=True)
    print(json.dumps(asdict(asyncio.run(_work(crowd)))))


async def _work(crowd: Crowd) -> Outcome:
    return await Work(crowd).run()


if __name__ == "__main__":
    main()
