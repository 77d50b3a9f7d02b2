"""Load from wrk: connections are kept, and each sends its next request after a response."""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Literal

SCRIPT = Path(__file__).with_name("wrk.lua")
TIMEOUT_SECONDS = 10

Refusals = Literal["fail", "wait", "ignore"]
"""What a response other than 2xx or 3xx means: the load fails, or the client waits for the seconds
of its `Retry-After`, or the client tries again at once."""


class WrkMissing(Exception):
    """wrk is not installed; the message says how to install it."""


class LoadFailed(Exception):
    """The load did not measure what it should; the message holds the output of wrk."""


@dataclass(frozen=True)
class Request:
    """A request that is sent again and again.

    Args:
        url: the whole of it.
        method, headers, body: as they are sent.
        lines: a file with a line for each request, of those that are not all the same.
        lines_in: the header that holds the line. Without it, the line is the body.
    """

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    lines: Path | None = None
    lines_in: str = ""


@dataclass(frozen=True)
class Load:
    """The result of a load.

    Args:
        answered: responses with 2xx or 3xx.
        refused: responses with another status.
        seconds: how long it took.
        p50, p99: milliseconds from a request to its response, of all responses.
    """

    answered: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.answered / self.seconds


def find_wrk() -> str:
    """Return the path of wrk.

    Raises:
        WrkMissing: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissing("wrk is not installed. On Debian: apt-get install wrk")
    return found


def load(
    request: Request, *, seconds: float, connections: int, refusals: Refusals = "fail"
) -> Load:
    """Send a request again and again.

    Args:
        request: what to send.
        seconds: for how long.
        connections: the number of clients.
        refusals: what a client does after a refusal.

    Raises:
        LoadFailed: connections broke, or requests were refused.
    """
    environment = {"PATH": os.environ["PATH"], "METHOD": request.method, "REFUSALS": refusals}
    if request.body:
        environment["BODY"] = request.body
    if request.lines:
        environment["LINES"] = str(request.lines)
    if request.lines_in:
        environment["LINES_IN"] = request.lines_in
    command = _command(request, seconds, connections, refusals)
    with subprocess.Popen(
        command, env=environment, stdout=PIPE, stderr=STDOUT, text=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it ends with a report of the time it has run
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    return parse(output, refusals=refusals)


def _command(request: Request, seconds: float, connections: int, refusals: Refusals) -> list[str]:
    # In wrk, a wait holds up all clients of its thread, so each waiting client needs its own.
    threads = connections if refusals == "wait" else 1
    command = [find_wrk(), f"--threads={threads}", f"--connections={connections}"]
    command += [
        f"--duration={ceil(seconds) + 1}s",
        f"--timeout={TIMEOUT_SECONDS}s",
        f"--script={SCRIPT}",
    ]
    for name, value in request.headers.items():
        command += ["--header", f"{name}: {value}"]
    return [*command, request.url]


def parse(output: str, *, refusals: Refusals = "fail") -> Load:
    """Read what bench/load/wrk.lua wrote on the last line of wrk's output.

    Raises:
        LoadFailed: as for load().
    """
    try:
        report = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise LoadFailed(f"wrk did not end with a report:\n{output}") from None
    if report["broken"] or (report["refused"] and refusals == "fail"):
        raise LoadFailed(f"connections broke, or requests were refused:\n{output}")
    return Load(
        answered=report["requests"] - report["refused"],
        refused=report["refused"],
        seconds=report["duration"] / 1e6,
        p50=report["p50"] / 1e3,
        p99=report["p99"] / 1e3,
    )
