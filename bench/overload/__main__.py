"""Under overload: python -m bench.overload [--write]

Offers the service more than it can serve, first logins and then refreshes, each over a new
connection. Tells what becomes of them, what others notice, and how soon all is as before. Prints a
table in Markdown; --write puts it into docs/performance.md.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench.load.all_rounds import DISK
from bench.load.load_generator import Crowd, Outcome, gathered
from bench.load.peer_requests import requests
from bench.load.wrk import Request
from bench.peers.catalog import AUTHSVC, ROOT
from bench.peers.prepare import prepare
from bench.peers.server import Server
from bench.report.document import write
from bench.report.machine import machine, version_of_authsvc

PAGE = ROOT / "docs" / "performance.md"
BY = "python -m bench.overload"
SECONDS = 10.0
TIMES = 4
LOGIN_CLIENTS, REFRESH_CLIENTS = 4, 8
"""How many keep both workers busy, and no more."""
TOO_MANY = 1_024
LOOKS = 100
BACK_TO = 2.0
"""Times its idle p50: a single request that takes no more is as quick as it was."""
RECOVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Overload:
    """What one route did.

    Args:
        offered: in words.
        capacity: with as many clients as can be served.
        under: with too many.
        idle, protected_idle, protected: p50 of a single request and of a protected one before
            the load, and of a protected one during it, in milliseconds.
        recovered: seconds from the end of the load to the end of a request that took no more
            than twice what it took before; infinite if none did in time.
    """

    offered: str
    capacity: Outcome
    under: Outcome
    idle: float
    protected_idle: float
    protected: float
    recovered: float


def main() -> None:
    words = argparse.ArgumentParser(prog=BY, description=__doc__)
    words.add_argument("--write", action="store_true")
    chosen = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is ended then, too
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="overload-", dir=DISK) as name:
        prepared = prepare(AUTHSVC, Path(name) / "service", seconds=0)
        with prepared.started() as server:
            logins, refreshes = measure(server, SECONDS)
    block = report(logins, refreshes, others=others)
    print(block)
    if chosen.write:
        write(PAGE, block, {}, by=BY)
    if any("None" in overload.under.waits for overload in (logins, refreshes)):
        sys.exit("some were refused without being told when to come back")


def measure(server: Server, seconds: float) -> tuple[Overload, Overload]:
    """Logins, and then refreshes.

    Args:
        server: the service.
        seconds: how long each load is.
    """
    sent = requests(server, AUTHSVC)
    login = Crowd(server.port, raw(sent["login"]), seconds)
    refresh = Crowd(server.port, raw(sent["refresh"]), seconds)
    return (
        _overload(server, sent["protected"], login, LOGIN_CLIENTS, at_rate=True),
        _overload(server, sent["protected"], refresh, REFRESH_CLIENTS, at_rate=False),
    )


def raw(request: Request) -> str:
    """The text of a request after whose answer the connection is closed."""
    headers = {"Host": "localhost", "Connection": "close", **request.headers}
    headers["Content-Length"] = str(len(request.body.encode()))
    lines = [f"{request.method} {urlsplit(request.url).path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", request.body])


def _overload(
    server: Server, protected: Request, crowd: Crowd, clients: int, *, at_rate: bool
) -> Overload:
    def once() -> float:
        return _took(server, crowd.request)

    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as kept:

        def look() -> float:
            time.sleep(0.005)
            return _asked(kept, protected)

        idle = median(once() for _ in range(LOOKS // 5))
        protected_idle = median(look() for _ in range(LOOKS))
        capacity = _outcome(crowd, clients=clients, obedient=True)
        rate = TIMES * capacity.rate if at_rate else None
        offered = f"{rate:,.0f} a second" if rate else f"{TOO_MANY:,} clients at once"
        too_much = replace(crowd, rate=rate, clients=0 if rate else TOO_MANY)
        looks: list[float] = []
        with gathered(too_much) as running:
            ends = time.monotonic() + 0.9 * crowd.seconds
            while time.monotonic() < ends:
                looks.append(look())
            running.wait_until_over()
            recovered = seconds_until(lambda: once() <= BACK_TO * idle)
            under = running.outcome()
    return Overload(offered, capacity, under, idle, protected_idle, median(looks), recovered)


def _outcome(crowd: Crowd, **changes: Any) -> Outcome:
    with gathered(replace(crowd, **changes)) as running:
        running.wait_until_over()
        return running.outcome()


def seconds_until(is_so: Callable[[], bool]) -> float:
    """How long it took until it was so, or infinity where that took too long."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVERY_SECONDS:
        if is_so():
            return time.monotonic() - began
    return float("inf")


def _took(server: Server, request: str) -> float:
    """Milliseconds of one request over a new connection, whatever its answer."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        wire.sendall(request.encode())
        while wire.recv(65536):
            pass
    return (time.perf_counter() - began) * 1000


def _asked(connection: HTTPConnection, request: Request) -> float:
    """Milliseconds of one request over a connection that is kept."""
    began = time.perf_counter()
    connection.request(request.method, urlsplit(request.url).path, headers=request.headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return (time.perf_counter() - began) * 1000


def report(logins: Overload, refreshes: Overload, *, others: float) -> str:
    """The whole block, in Markdown.

    Args:
        logins, refreshes: what was measured.
        others: the machine's load average before that.
    """
    rows: list[tuple[str, Callable[[Overload], str]]] = [
        ("served with as many clients as fit", lambda one: f"{one.capacity.rate:,.0f} a second"),
        ("p50, p99 of these, ms", lambda one: _waits(one.capacity)),
        ("then offered", lambda one: one.offered),
        ("sent", lambda one: f"{one.under.sent:,}"),
        ("served", lambda one: f"{one.under.rate:,.0f} a second"),
        ("p50, p99 of those let in at once, ms", lambda one: _waits(one.under)),
        ("503 with `Retry-After`", lambda one: f"{one.under.statuses.get('503', 0):,}"),
        ("let in later, the queue being full", lambda one: f"{one.under.late:,}"),
        ("not let in within 10 s, or until the end", lambda one: f"{one.under.kept_out:,}"),
        ("let in, and broken or without an answer in 10 s", lambda one: _broken(one.under)),
        (
            "p50 of a protected request, before and meanwhile, ms",
            lambda one: f"{one.protected_idle:.1f}, {one.protected:.1f}",
        ),
        ("as quick as before after, ms", lambda one: f"{one.recovered * 1000:,.0f}"),
    ]
    return "\n".join(
        [
            f"{SECONDS:g} s of each load, authsvc {version_of_authsvc()}, on {machine()}. Other "
            f"programs had the machine at a load average of {others:.1f} before it began.",
            "",
            "| | logins | refreshes |",
            "| --- | ---: | ---: |",
            *(f"| {name} | {tell(logins)} | {tell(refreshes)} |" for name, tell in rows),
        ]
    )


def _waits(outcome: Outcome) -> str:
    return f"{outcome.percentile(50):,.0f}, {outcome.percentile(99):,.0f}"


def _broken(outcome: Outcome) -> str:
    return ", ".join(f"{times:,} {why}" for why, times in outcome.broken.items()) or "0"


if __name__ == "__main__":
    main()
