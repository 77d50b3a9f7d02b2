"""Send one route more than it can serve, and measure other clients meanwhile and afterwards."""

import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from bench.load.load_generator import LoadPlan, Outcome, generating_load, request_text
from bench.load.peer_requests import peer_requests
from bench.load.wrk import Request
from bench.peers.catalog import AUTHSVC
from bench.peers.server import Server

OVERLOAD_FACTOR = 4
LOGIN_CLIENTS, REFRESH_CLIENTS = 4, 8
"""The number of clients that keeps both workers busy, and no more."""
TOO_MANY_CLIENTS = 1_024
PROBES = 100
RECOVERED_AT = 2.0
"""The service has recovered when a request takes no more than this times its idle p50."""
RECOVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Overload:
    """The results of one route.

    Args:
        offered: the load, in words.
        capacity: the outcome with as many clients as can be served.
        under: the outcome with too many.
        protected_idle, protected: p50 of a protected request before the load and during it, in
            milliseconds.
        recovery: seconds from the end of the load to the end of a request that took no more
            than twice its time before; infinite if none did in time.
    """

    offered: str
    capacity: Outcome
    under: Outcome
    protected_idle: float
    protected: float
    recovery: float


def measure(server: Server, seconds: float) -> tuple[Overload, Overload]:
    """Measure logins, and then refreshes.

    Args:
        server: the service.
        seconds: how long each load is.
    """
    requests = peer_requests(server, AUTHSVC)
    login = LoadPlan(server.port, request_text(requests["login"]), seconds)
    refresh = LoadPlan(server.port, request_text(requests["refresh"]), seconds)
    return (
        _overload(server, requests["protected"], login, LOGIN_CLIENTS, at_rate=True),
        _overload(server, requests["protected"], refresh, REFRESH_CLIENTS, at_rate=False),
    )


def seconds_until(condition: Callable[[], bool]) -> float:
    """Return the seconds until the condition holds, or infinity if it does not in time."""
    began = time.monotonic()
    while time.monotonic() - began < RECOVERY_SECONDS:
        if condition():
            return time.monotonic() - began
    return float("inf")


def _overload(
    server: Server, protected: Request, plan: LoadPlan, clients: int, *, at_rate: bool
) -> Overload:
    """Measure the capacity, then send too much, at a rate or with too many clients."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as kept:
        idle = median(_time_request(server, plan.request) for _ in range(PROBES // 5))
        protected_idle = median(_probe(kept, protected) for _ in range(PROBES))
        capacity = _outcome(replace(plan, clients=clients, honours_retry_after=True))
        rate = OVERLOAD_FACTOR * capacity.rate if at_rate else None
        offered = f"{rate:,.0f} a second" if rate else f"{TOO_MANY_CLIENTS:,} clients at once"
        too_much = replace(plan, rate=rate, clients=0 if rate else TOO_MANY_CLIENTS)
        probes: list[float] = []
        with generating_load(too_much) as generator:
            end = time.monotonic() + 0.9 * plan.seconds
            while time.monotonic() < end:
                probes.append(_probe(kept, protected))
            generator.wait_until_sent()
            recovery = seconds_until(
                lambda: _time_request(server, plan.request) <= RECOVERED_AT * idle
            )
            under = generator.outcome()
    return Overload(offered, capacity, under, protected_idle, median(probes), recovery)


def _outcome(plan: LoadPlan) -> Outcome:
    with generating_load(plan) as generator:
        generator.wait_until_sent()
        return generator.outcome()


def _time_request(server: Server, request: str) -> float:
    """Return the milliseconds of a request over a new connection, whatever its response."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request.encode())
        while connection.recv(65536):
            pass
    return (time.perf_counter() - began) * 1000


def _probe(connection: HTTPConnection, request: Request) -> float:
    """Pause, and return the milliseconds of a request over a connection that is kept."""
    time.sleep(0.005)
    began = time.perf_counter()
    connection.request(request.method, urlsplit(request.url).path, headers=request.headers)
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return (time.perf_counter() - began) * 1000
