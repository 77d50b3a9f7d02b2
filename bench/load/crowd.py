"""What a protected route and the clients themselves see while many clients log in."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Barrier
from urllib.parse import urlsplit

from bench.load.wrk import Load, LoadFailed, Request, load

FLOOD_CONNECTIONS = 8
BURST_CLIENTS = 24
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Crowd:
    """The results.

    Args:
        alone, flooded: one client on the protected route, without other load and while others log
            in as fast as they can.
        burst: seconds until the last of the clients that logged in at the same moment had its
            response; infinite if one of them did not get a 200.
    """

    alone: Load
    flooded: Load
    burst: float


def crowd(protected: Request, login: Request, *, seconds: float) -> Crowd:
    """Measure the protected route alone and flooded, then a burst of logins.

    Args:
        protected, login: what clients send.
        seconds: how long the protected route is measured.

    Raises:
        LoadFailed: the protected route was refused, or a login was not answered.
    """
    alone = load(protected, seconds=seconds, connections=1)
    with ThreadPoolExecutor(1) as others:
        flood = others.submit(
            load, login, seconds=seconds, connections=FLOOD_CONNECTIONS, refusals="ignore"
        )
        flooded = load(protected, seconds=seconds, connections=1)
        flood.result()
    return Crowd(alone, flooded, _burst(login))


def _burst(login: Request) -> float:
    ready = Barrier(BURST_CLIENTS)

    def log_in() -> float:
        ready.wait()
        began = time.perf_counter()
        status = _status(login)
        return time.perf_counter() - began if status == 200 else float("inf")

    with ThreadPoolExecutor(BURST_CLIENTS) as clients:
        return max(one.result() for one in [clients.submit(log_in) for _ in range(BURST_CLIENTS)])


def _status(request: Request) -> int:
    parts = urlsplit(request.url)
    try:
        with closing(HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(request.method, parts.path, request.body, request.headers)
            response = connection.getresponse()
            response.read()
    except OSError as error:
        raise LoadFailed(f"a login of the burst was not answered: {error}") from None
    return response.status
