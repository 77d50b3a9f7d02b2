"""Load from wrk: requests over connections that are kept, each sent when the last was answered."""

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
"""What clients do who get another answer than 2xx or 3xx: they must not, they come back after the
seconds that `Retry-After` tells, or they try again at once."""


class WrkMissing(Exception):
    """wrk is not installed; the message says how to get it."""


class LoadFailed(Exception):
    """What was measured is not what was meant: the message has wrk's own output."""


@dataclass(frozen=True)
class Request:
    """One request, to be sent again and again.

    Args:
        url: the whole of it.
        method, headers, body: as they are sent.
        cookies: a file with a cookie for each request, one a line.
    """

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    cookies: Path | None = None


@dataclass(frozen=True)
class Load:
    """What came of it.

    Args:
        answered: requests that were answered with 2xx or 3xx.
        refused: requests that were answered with another status.
        seconds: how long it took.
        p50, p99: milliseconds between a request and its answer, of all answers.
    """

    answered: int
    refused: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.answered / self.seconds


def require_wrk() -> str:
    """The path of wrk.

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
        connections: how many clients there are.
        refusals: what the clients do about them.

    Raises:
        LoadFailed: connections broke, or requests were refused.
    """
    # A thread for each client who may have to wait: in wrk all clients of a thread would.
    threads = connections if refusals == "wait" else 1
    command = [require_wrk(), f"--threads={threads}", f"--connections={connections}"]
    command += [
        f"--duration={ceil(seconds) + 1}s",
        f"--timeout={TIMEOUT_SECONDS}s",
        f"--script={SCRIPT}",
    ]
    for name, value in request.headers.items():
        command += ["--header", f"{name}: {value}"]
    environment = {"PATH": os.environ["PATH"], "METHOD": request.method, "REFUSALS": refusals}
    if request.body:
        environment["BODY"] = request.body
    if request.cookies:
        environment["COOKIES"] = str(request.cookies)
    with subprocess.Popen(
        [*command, request.url], env=environment, stdout=PIPE, stderr=STDOUT, text=True
    ) as wrk:
        try:
            output, _ = wrk.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            wrk.send_signal(signal.SIGINT)  # it ends with a report, and its own clock is in it
            output, _ = wrk.communicate()
        except BaseException:
            wrk.kill()
            raise
    return parse(output, refusals=refusals)


def parse(output: str, *, refusals: Refusals = "fail") -> Load:
    """What bench/load/wrk.lua wrote on the last line of wrk's output.

    Raises:
        LoadFailed: as for load().
    """
    try:
        told = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise LoadFailed(f"wrk said nothing that can be read:\n{output}") from None
    if told["broken"] or (told["refused"] and refusals == "fail"):
        raise LoadFailed(f"it was not answered as it should be:\n{output}")
    return Load(
        answered=told["requests"] - told["refused"],
        refused=told["refused"],
        seconds=told["duration"] / 1e6,
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
    )
