"""What is measured. No label holds anything that a client can choose."""

from collections.abc import Iterable
from functools import cache
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Engine, event

from authsvc.monitoring.shared_metrics import exposition
from authsvc.problems import InvalidCredentials, RateLimited
from authsvc.users.hashing import Watch
from authsvc.web.log_context import noted

NO_ROUTE = "none"
LOGIN = "auth.login"
LOGIN_OUTCOMES = {None: "good", InvalidCredentials.code: "refused", RateLimited.code: "throttled"}

# Few: each is a series for each route and status.
REQUEST_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5)
HASH_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


class Instruments:
    """Everything that one app measures."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        requests = Histogram(
            "authsvc_http_request_duration_seconds",
            "Time from a request's arrival until its response was ready.",
            ["route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        problems = Counter(
            "authsvc_problems_total", "Errors that were answered.", ["code"], registry=registry
        )
        logins = Counter(
            "authsvc_logins_total", "Attempts to log in.", ["outcome"], registry=registry
        )
        self._requests = cache(requests.labels)
        self._problems = cache(problems.labels)
        self._logins = {code: logins.labels(word) for code, word in LOGIN_OUTCOMES.items()}
        self.passwords = Watch(
            waiting=_gauge(
                "passwords_waiting", "Requests that wait to have a password hashed.", registry
            ).track_inprogress,
            hashing=Histogram(
                "authsvc_password_hash_duration_seconds",
                "Time that hashing one password took.",
                buckets=HASH_BUCKETS,
                registry=registry,
            ).time,
            refused=Counter(
                "authsvc_passwords_refused_total",
                "Requests told to come back, since too many passwords were being hashed.",
                registry=registry,
            ).inc,
        )
        self._revoked_sessions = _gauge(
            "revoked_sessions",
            "Sessions revoked lately: the most that a worker remembers.",
            registry,
            "livemax",
        )
        self._revocations_age = _gauge(
            "revocation_list_age_seconds",
            "Age of the list of revoked sessions when news was last asked for: the oldest of a "
            "worker's. 0 while the database answers.",
            registry,
            "livemax",
        )
        self._connections = _gauge(
            "database_connections_in_use", "Connections taken from the pools.", registry
        )

    def answered(self, asked: Request, status: str, seconds: float) -> None:
        """A response is ready.

        Args:
            asked: the request.
            status: the three digits.
            seconds: since the request arrived.
        """
        route = asked.endpoint
        self._requests(route or NO_ROUTE, status).observe(seconds)
        code = noted(asked.environ).get("code")
        if code is not None:
            self._problems(code).inc()
        if route == LOGIN and asked.method == "POST" and code in self._logins:
            self._logins[code].inc()

    def revocations(self, sessions: int, age: float) -> None:
        """A worker has asked which sessions were revoked.

        Args:
            sessions: how many it remembers.
            age: seconds since it was last answered.
        """
        self._revoked_sessions.set(sessions)
        self._revocations_age.set(age)

    def watch_pool(self, engine: Engine) -> None:
        """Count the connections of that engine's pool that are in use."""

        @event.listens_for(engine, "checkout")
        def taken(connection: Any, record: Any, proxy: Any) -> None:
            record.record_info[self] = True
            self._connections.inc()

        @event.listens_for(engine, "checkin")
        def given_back(connection: Any, record: Any) -> None:
            # A connection that could not be opened is given back, though it was never taken.
            if record.record_info.pop(self, False):
                self._connections.dec()

    def exposition(self) -> bytes:
        """All of it, in Prometheus' text form."""
        return exposition(self._registry)


class RequestMetrics:
    """WSGI middleware that measures each request.

    Args:
        app: the Flask app's own WSGI application.
        instruments: where it counts.
    """

    def __init__(self, app: WSGIApplication, instruments: Instruments) -> None:
        self._app = app
        self._answered = instruments.answered

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            self._answered(environ["werkzeug.request"], status[:3], perf_counter() - started)
            return start_response(status, headers, *exc_info)

        return self._app(environ, start)


def _gauge(
    name: str, about: str, registry: CollectorRegistry, of_workers: Any = "livesum"
) -> Gauge:
    return Gauge(f"authsvc_{name}", about, registry=registry, multiprocess_mode=of_workers)
