"""What people get, and how soon, while others log in as fast as they can."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from math import ceil, inf
from statistics import median
from threading import Barrier, Event

from bench.load.load_generator import LoadPlan, Outcome, generating_load
from bench.overload.accounts import EVERYONE, PASSWORD, Person
from bench.peers.server import Server

BURSTS = 3
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 10.0
"""How long a person goes on to log in, as `Retry-After` asks."""
JSON = {"Content-Type": "application/json"}


@dataclass
class Seen:
    """What requests of one kind got.

    Args:
        statuses: the number of responses by status; "none" if there was none.
        latencies: milliseconds of each response with 200; of logins, with all their attempts.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        """Return a percentile of the latencies, or infinity without any."""
        ordered = sorted(self.latencies)
        return ordered[ceil(len(ordered) * percent / 100) - 1] if ordered else inf


@dataclass
class Sights:
    """What people saw during one load.

    Args:
        protected, refreshes: requests of people who are logged in.
        logins: of people who retry as `Retry-After` asks; empty if none logged in.
        others: what those got who made the load.
    """

    protected: Seen
    refreshes: Seen
    logins: Seen
    others: Outcome | None = None


@dataclass(frozen=True)
class Session:
    """What a person has who is logged in."""

    person: Person
    access: dict[str, str]
    cookie: dict[str, str]


def burst(server: Server) -> tuple[Counter[str], float]:
    """Let everyone log in at once, some times.

    Return the statuses of all rounds, and the median of the milliseconds of each one's slowest.
    """
    statuses: Counter[str] = Counter()
    slowest = []
    for _ in range(BURSTS):
        start = Barrier(len(EVERYONE))

        def enter(person: Person, start: Barrier = start) -> tuple[str, float]:
            start.wait()
            began = time.perf_counter()
            with person.connected(server) as connection:
                status, _ = _send(connection, "POST", "/auth/login", _credentials(person))
            return status, (time.perf_counter() - began) * 1000

        with ThreadPoolExecutor(len(EVERYONE)) as people:
            answers = list(people.map(enter, EVERYONE))
        statuses.update(status for status, _ in answers)
        slowest.append(max(milliseconds for _, milliseconds in answers))
    return statuses, median(slowest)


def watch(server: Server, plan: LoadPlan | None, seconds: float, *, logins: bool) -> Sights:
    """Send requests of people while a load runs.

    Args:
        server: the service.
        plan: the load; None for an idle service.
        seconds: for how long.
        logins: whether people also log in.
    """
    sessions = _sessions(server)
    sights, ended = Sights(Seen(), Seen(), Seen()), Event()
    with _running(plan) as others, ThreadPoolExecutor(3) as people:
        watching = [
            people.submit(_repeat, server, sessions, "GET", sights.protected, ended),
            people.submit(_repeat, server, sessions, "POST", sights.refreshes, ended),
        ]
        if logins:
            watching.append(people.submit(_enter_in_turn, server, sights.logins, ended))
        time.sleep(seconds)
        ended.set()
        for one in watching:
            one.result()
        sights.others = others()
    return sights


@contextmanager
def _running(plan: LoadPlan | None) -> Iterator[Callable[[], Outcome | None]]:
    if plan is None:
        yield lambda: None
        return
    with generating_load(plan) as generator:

        def outcome() -> Outcome:
            generator.wait_until_sent()
            return generator.outcome()

        yield outcome


def _sessions(server: Server) -> list[Session]:
    sessions = []
    for person in EVERYONE:
        with person.connected(server) as connection:
            connection.request("POST", "/auth/login", _credentials(person), JSON)
            response = connection.getresponse()
            access = json.loads(response.read())["access_token"]
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        sessions.append(Session(person, {"Authorization": f"Bearer {access}"}, {"Cookie": cookie}))
    return sessions


def _repeat(server: Server, sessions: list[Session], method: str, seen: Seen, ended: Event) -> None:
    """Send the protected request (GET) or a refresh of each person in turn, over a new connection.

    So many people share the refreshes that none of them reaches a limit.
    """
    path = "/api/things" if method == "GET" else "/auth/refresh"
    for session in cycle(sessions):
        if ended.wait(PAUSE_SECONDS):
            return
        headers = session.access if method == "GET" else session.cookie
        began = time.perf_counter()
        with session.person.connected(server) as connection:
            status, _ = _send(connection, method, path, None, headers)
        seen.statuses[status] += 1
        if status == "200":
            seen.latencies.append((time.perf_counter() - began) * 1000)


def _enter_in_turn(server: Server, seen: Seen, ended: Event) -> None:
    for person in cycle(EVERYONE):
        if ended.wait(PAUSE_SECONDS):
            return
        _enter(server, person, seen)


def _enter(server: Server, person: Person, seen: Seen) -> None:
    """Log in, and retry as `Retry-After` asks, until the person has no more patience."""
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_SECONDS:
        with person.connected(server) as connection:
            status, wait = _send(connection, "POST", "/auth/login", _credentials(person))
        seen.statuses[status] += 1
        if status == "200":
            seen.latencies.append((time.perf_counter() - began) * 1000)
            return
        time.sleep(min(wait, PATIENCE_SECONDS))
    seen.latencies.append(inf)


def _credentials(person: Person) -> str:
    return json.dumps({"email": person.email, "password": PASSWORD})


def _send(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str] | None = None,
) -> tuple[str, float]:
    """Return the status, or "none", and the seconds of `Retry-After`."""
    try:
        connection.request(method, path, body, {**(JSON if body else {}), **(headers or {})})
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        return "none", 1.0
    return str(response.status), float(response.headers.get("Retry-After", 1))
