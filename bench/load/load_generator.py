"""Generate load from a process of its own, with a new connection for each request.

The clients run in bench/load/load_generator_clients.py; here they are started and their outcome is
read. The process reads a `LoadPlan` as JSON from standard input. It writes the line `started`, then
`sent` after the last request, and then the `Outcome` as JSON.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import nan
from urllib.parse import urlsplit

from bench.load.wrk import Request

CLIENTS = "bench.load.load_generator_clients"


@dataclass(frozen=True)
class LoadPlan:
    """What the clients send.

    Args:
        port: of the service.
        request: the whole text of the request, which must have `Connection: close`. `{number}` in
            it becomes another number of eight digits in each request.
        seconds: for how long requests are sent.
        rate: requests a second, sent whether or not earlier ones were answered. Without a rate,
            each client sends its next request after the response to the last one.
        clients: the number of clients, without a rate.
        honours_retry_after: whether a client waits for the seconds that a 503 asks for.
        addresses: how many addresses of the network they come from, in turn; 0 is the usual one.
    """

    port: int
    request: str
    seconds: float
    rate: float | None = None
    clients: int = 0
    honours_retry_after: bool = False
    addresses: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of the requests.

    Args:
        seconds: how long it took to send all of them.
        sent: the number of requests.
        statuses: the number of responses by status.
        retry_after: the number of 503 responses by their `Retry-After`; "None" if there was none.
        failures: the number of accepted requests without a response, by the exception's name.
        accepted_late: connections that a full queue refused at first.
        never_accepted: connections that a full queue refused until the client gave up or the load
            ended.
        latencies: milliseconds from connecting to the end of the response, of the connections
            that were accepted at once and got a 200.
    """

    seconds: float
    sent: int
    statuses: dict[str, int]
    retry_after: dict[str, int]
    failures: dict[str, int]
    accepted_late: int
    never_accepted: int
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Responses with 200 a second."""
        return self.statuses.get("200", 0) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return a percentile of `latencies`, or NaN if there are none."""
        ordered = sorted(self.latencies)
        return ordered[(len(ordered) - 1) * percent // 100] if ordered else nan


@dataclass
class Generator:
    """A load generator that is running. Call `wait_until_sent`, then `outcome`, once each."""

    process: "subprocess.Popen[str]"

    def wait_until_sent(self) -> None:
        """Wait for the last request to be sent."""
        self.expect_line("sent")

    def outcome(self) -> Outcome:
        assert self.process.stdout is not None
        return Outcome(**json.loads(self.process.stdout.read()))

    def expect_line(self, expected: str) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line == expected, f"the load generator wrote {line!r} instead of {expected!r}"


def request_text(request: Request) -> str:
    """Return the text of a request after whose response the connection is closed."""
    headers = {"Host": "localhost", "Connection": "close", **request.headers}
    headers["Content-Length"] = str(len(request.body.encode()))
    lines = [f"{request.method} {urlsplit(request.url).path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", request.body])


@contextmanager
def generating_load(plan: LoadPlan) -> Iterator[Generator]:
    """Run a load generator from the beginning of the block."""
    command = [sys.executable, "-m", CLIENTS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(asdict(plan)) + "\n")
            process.stdin.flush()
            generator = Generator(process)
            generator.expect_line("started")
            yield generator
        finally:
            process.kill()
