"""The metrics. No label holds a value that a client can choose."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Literal

from flask import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Engine, event

from authsvc.monitoring.log_output import log_output
from authsvc.monitoring.mail_metrics import MailInstruments
from authsvc.monitoring.shared_metrics import exposition
from authsvc.problems import InvalidCredentials, RateLimited, SecondFactorRequired
from authsvc.web.log_context import bound

NO_ROUTE = "none"
LOGINS = {
    ("authsvc.auth.login", "POST"): "password",
    ("authsvc.auth.log_in", "POST"): "passkey",
}
"""The routes of logins, and what each begins with."""
OPEN_SESSIONS = {*LOGINS, ("authsvc.resources.change", "PUT")}
"""The routes that open a session when they succeed: a login and a password change."""
REGISTER_DEVICE = "authsvc.auth.register_device"
LOGIN_OUTCOMES = {
    None: "good",
    InvalidCredentials.code: "refused",
    SecondFactorRequired.code: "second_factor",
    RateLimited.code: "throttled",
}

# Few buckets: each is a series for each route and status.
REQUEST_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5)
HASH_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


class Instruments:
    """The metrics of one app."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = RequestInstruments(registry)
        self.passwords = PasswordInstruments(registry)
        self.mail = MailInstruments(registry)
        self._revoked_sessions = _gauge(
            "revoked_sessions",
            "Recently revoked sessions in memory: the largest number of any worker.",
            registry,
            "livemax",
        )
        self._revocations_age = _gauge(
            "revocation_list_age_seconds",
            "Age of the list of revoked sessions at its last update: the oldest of any worker. "
            "0 while the database answers.",
            registry,
            "livemax",
        )
        self._connections = _gauge(
            "database_connections_in_use", "Connections taken from the pools.", registry
        )
        dropped = Counter(
            "authsvc_log_lines_dropped_total",
            "Lines of the log that could not be written at once.",
            registry=registry,
        )
        log_output.dropped.count_by(dropped.inc)

    def revocations(self, sessions: int, age: float) -> None:
        """Record that a worker has queried the revoked sessions.

        Args:
            sessions: the number of sessions in its list.
            age: seconds since the last successful query.
        """
        self._revoked_sessions.set(sessions)
        self._revocations_age.set(age)

    def watch_pool(self, engine: Engine) -> None:
        """Count the connections of the engine's pool that are in use."""

        @event.listens_for(engine, "checkout")
        def taken(connection: Any, record: Any, proxy: Any) -> None:
            record.record_info[self] = True
            self._connections.inc()

        @event.listens_for(engine, "checkin")
        def returned(connection: Any, record: Any) -> None:
            # A connection that could not be opened is checked in without a checkout.
            if record.record_info.pop(self, False):
                self._connections.dec()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return exposition(self._registry)


class RequestInstruments:
    """The metrics of requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Histogram(
            "authsvc_http_request_duration_seconds",
            "Time from a request's arrival until its response is ready.",
            ["route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        problems = Counter(
            "authsvc_problems_total", "Responses that are errors.", ["code"], registry=registry
        )
        logins = Counter(
            "authsvc_logins_total", "Attempts to log in.", ["method", "outcome"], registry=registry
        )
        opened = Counter(
            "authsvc_sessions_opened_total", "Sessions opened.", ["bound"], registry=registry
        )
        self._devices = Counter(
            "authsvc_devices_registered_total",
            "Registrations of keys of devices, to which sessions are bound.",
            registry=registry,
        )
        # Bounded: by the app's endpoints times the HTTP statuses, and by the problems' codes.
        self._requests = cache(requests.labels)
        self._problems = cache(problems.labels)
        self._logins = {
            (login, code): logins.labels(method, outcome)
            for login, method in LOGINS.items()
            for code, outcome in LOGIN_OUTCOMES.items()
        }
        self._opened = {is_bound: opened.labels("key" if is_bound else "no") for is_bound in (0, 1)}

    def observe(self, request: Request, status: str, seconds: float) -> None:
        """Record that a response is ready.

        Args:
            request: the request.
            status: the three digits of its status.
            seconds: the time since the request arrived.
        """
        route = request.endpoint or NO_ROUTE
        asked = (route, request.method)
        self._requests(route, status).observe(seconds)
        code = bound(request.environ).get("code")
        if code is not None:
            self._problems(code).inc()
        if (asked, code) in self._logins:
            self._logins[asked, code].inc()
        if code is None and asked in OPEN_SESSIONS:
            self._opened["HTTP_DPOP" in request.environ].inc()
        if code is None and route == REGISTER_DEVICE:
            self._devices.inc()


class PasswordInstruments:
    """The metrics of password hashing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting = _gauge(
            "passwords_waiting", "Requests that wait for the hashing of a password.", registry
        )
        self._hashing = Histogram(
            "authsvc_password_hash_duration_seconds",
            "Time to hash one password.",
            buckets=HASH_BUCKETS,
            registry=registry,
        )
        self._refused = Counter(
            "authsvc_passwords_refused_total",
            "Requests refused because too many passwords were being hashed.",
            registry=registry,
        )

    def waiting(self) -> AbstractContextManager[object]:
        """Return a context manager that counts a request as waiting."""
        return self._waiting.track_inprogress()

    def hashing(self) -> AbstractContextManager[object]:
        """Return a context manager that measures the hashing of a password."""
        return self._hashing.time()

    def refused(self) -> None:
        """Count a request that is refused because too many passwords are being hashed."""
        self._refused.inc()


def _gauge(
    name: str,
    about: str,
    registry: CollectorRegistry,
    of_workers: Literal["livesum", "livemax"] = "livesum",
) -> Gauge:
    return Gauge(f"authsvc_{name}", about, registry=registry, multiprocess_mode=of_workers)
