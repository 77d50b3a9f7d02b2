"""People who use a running service over real connections, a fresh one for each request."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

COOKIE = "__Host-refresh_token"
PASSWORD = "a horse that is correct"


@dataclass(frozen=True)
class Answer:
    """What came back, and when the request was begun and its answer read (monotonic seconds)."""

    status: int
    body: dict[str, Any]
    cookie: str | None
    headers: dict[str, str]
    began: float
    ended: float

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    @property
    def worker(self) -> int:
        return int(self.headers["x-worker"])

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass
class Visitor:
    """Somebody with an account, on one device.

    Args:
        port: where the service listens; another instance's may be put here at any time.
        email: theirs alone.
        address: where they are, for a service behind a proxy.
    """

    port: int
    email: str
    access_token: str = ""
    refresh_token: str = field(default="", repr=False)
    address: str = "192.0.2.1"

    def registered(self) -> Visitor:
        body = {"email": self.email, "password": PASSWORD}
        answer = self.patient("POST", "/auth/register", body)
        assert answer.status == 201, answer
        return self

    def logged_in(self) -> Visitor:
        answer = self.log_in()
        assert answer.status == 200, answer
        return self

    def logged_in_with(self, **factor: Any) -> Visitor:
        answer = self.log_in(**factor)
        assert answer.status == 200, answer
        return self

    def log_in(self, **factor: Any) -> Answer:
        """Log in by the password, and the second factor if one is given."""
        body = {"email": self.email, "password": PASSWORD, **factor}
        answer = self.patient("POST", "/auth/login", body)
        self.remember(answer)
        return answer

    def refresh(self) -> Answer:
        return self.call("POST", "/auth/refresh")

    def log_out(self) -> Answer:
        return self.call("POST", "/auth/logout")

    def probe(self) -> Answer:
        return self.call("GET", "/probe")

    def probe_each_worker(self, workers: int) -> set[str]:
        """Ask until each worker of the service has answered; what they said, `ok` or a code."""
        said, met = set(), set()
        with ThreadPoolExecutor(8) as threads:  # one at a time, the same worker takes them all
            for _ in range(100):
                for answer in threads.map(lambda _: self.probe(), range(8)):
                    met.add(answer.worker)
                    said.add("ok" if answer.status == 200 else answer.code)
                if len(met) == workers:
                    return said
        raise AssertionError(f"only {len(met)} of {workers} workers answered")

    def remember(self, answer: Answer) -> None:
        self.access_token = answer.body.get("access_token", self.access_token)
        self.refresh_token = answer.cookie if answer.cookie is not None else self.refresh_token

    def patient(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        """As a client that heeds Retry-After while the service is busy hashing."""
        deadline = time.monotonic() + 30
        while True:
            answer = self.call(method, path, body)
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
            time.sleep(0.05)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        headers = {"Connection": "close", "X-Forwarded-For": self.address}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.refresh_token and path.startswith("/auth"):
            headers["Cookie"] = f"{COOKIE}={self.refresh_token}"
        if self.access_token and not path.startswith("/auth"):
            headers["Authorization"] = f"Bearer {self.access_token}"
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        began = time.monotonic()
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        cookie = response.getheader("Set-Cookie")
        return Answer(
            response.status,
            json.loads(text) if text else {},
            None if cookie is None else cookie.partition(";")[0].partition("=")[2],
            {name.lower(): value for name, value in response.getheaders()},
            began,
            time.monotonic(),
        )
