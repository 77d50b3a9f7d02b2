"""What the people of the soak do: one visit, from registration or login until it is left.

Some of it is what nobody should do. Each step has the statuses that it may be answered with, and
any may be told to come back later.
"""

import json
import random
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Any

from authsvc.tokens.claims import LEEWAY
from authsvc.web.json_body import MAX_BODY
from bench.load.peer_requests import JSON

ACCESS_TTL = 60
"""Seconds; that of refresh tokens is in bench/soak/__main__.py."""
TIMEOUT = 30
ROUNDS = 30
NEW = 0.3
MOST_PEOPLE = 100
LEFT_OPEN = 0.4


class Over(Exception):
    """The visit cannot go on: a step had another answer than it should, or was put off.

    Args:
        seconds: after how many it was told to come back.
    """

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds


@dataclass
class Person:
    """Somebody with an account, and the cookie that their browser holds."""

    email: str
    password: str
    cookie: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Cast:
    """Those who have an account and are not visiting just now, and tokens that were left behind."""

    people: list[Person] = field(default_factory=list)
    left_behind: list[tuple[float, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def somebody(self) -> Person | None:
        """One of them, or nobody: somebody new should come."""
        with self.lock:
            if not self.people or random.random() < NEW:
                return None
            return self.people.pop(random.randrange(len(self.people)))

    def leave_behind(self, token: str) -> None:
        with self.lock:
            self.left_behind.append((time.monotonic() + ACCESS_TTL + LEEWAY + 1, token))

    def expired(self) -> str | None:
        """A token whose time is over."""
        with self.lock:
            if not self.left_behind or self.left_behind[0][0] > time.monotonic():
                return None
            return self.left_behind.pop(0)[1]


class Visit:
    """One visit over one connection that is kept.

    Args:
        port: of the service.
        cast: who may come.
        turn: waits until the next request may be sent.
        tell: is told of each step: its name, its status, its seconds, and whether the answer is
            what it should be. The status of what was not answered is 0.
    """

    def __init__(
        self,
        port: int,
        cast: Cast,
        turn: Callable[[], None],
        tell: Callable[[str, int, float, bool], None],
    ) -> None:
        self._port = port
        self._cast = cast
        self._turn = turn
        self._tell = tell
        self._connection = self._connected()
        self._token = ""

    def play(self) -> None:
        """The whole of it. An answer that was not expected ends it, and has been told."""
        person = self._cast.somebody()
        with closing(self._connection):
            try:
                person = person or self._register()
                self._log_in(person)
                oddities = random.sample(range(ROUNDS), len(ODDITIES))
                for number in range(ROUNDS):
                    self._refresh(person)
                    self._protected("things", "/api/things")
                    self._protected("me", "/api/me")
                    if number in oddities:
                        ODDITIES[oddities.index(number)](self, person)
                self._protected("sessions", "/api/me/sessions")
                self._protected("activity", "/api/me/activity")
                person = self._leave(person)
            except Over as over:
                time.sleep(over.seconds)
                return  # this person does not come again: it may have been done or not
        if person is not None:
            with self._cast.lock:
                self._cast.people.append(person)

    def _register(self) -> Person:
        person = Person(f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(15))
        self._ask("register", "POST", "/auth/register", _credentials(person), expected=201)
        return person

    def _log_in(self, person: Person) -> None:
        headers = {"Cookie": person.cookie} if person.cookie else {}
        answer = self._ask("login", "POST", "/auth/login", _credentials(person), headers)
        person.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self._token = json.loads(answer.body)["access_token"]

    def _refresh(self, person: Person) -> None:
        answer = self._ask("refresh", "POST", "/auth/refresh", headers={"Cookie": person.cookie})
        self._token = json.loads(answer.body)["access_token"]

    def _protected(self, name: str, path: str, **how: Any) -> Answer:
        token = how.pop("token", self._token)
        method = how.pop("method", "GET")
        headers = {"Authorization": f"Bearer {token}"}
        return self._ask(name, method, path, headers=headers, **how)

    def _leave(self, person: Person) -> Person | None:
        """Log out, leave the session to its end, or, where many have an account, give it up."""
        self._cast.leave_behind(self._token)
        if len(self._cast.people) >= MOST_PEOPLE:
            body = {"password": person.password}
            self._protected("delete", "/api/me", method="DELETE", body=body, expected=204)
            return None
        if random.random() > LEFT_OPEN:
            headers = {"Cookie": person.cookie}
            self._ask("logout", "POST", "/auth/logout", headers=headers, expected=204)
            self._ask("ended", "POST", "/auth/refresh", headers=headers, expected=401)
            person.cookie = ""
        return person

    def _change_password(self, person: Person) -> None:
        if random.random() > 0.1:
            return
        new = secrets.token_urlsafe(15)
        body = {"current_password": person.password, "new_password": new}
        path = "/api/me/password"
        self._protected("password", path, method="PUT", body=body, expected=204)
        person.password = new

    def _mistype(self, person: Person) -> None:
        if random.random() < 0.5:
            wrong = Person(person.email, person.password + "x")
            self._ask("wrong password", "POST", "/auth/login", _credentials(wrong), expected=401)

    def _forge(self, person: Person) -> None:
        self._protected("forged", "/api/me", token=self._token[:-10] + "A" * 10, expected=401)
        cookie = person.cookie[:-10] + "A" * 10
        self._ask("forged", "POST", "/auth/refresh", headers={"Cookie": cookie}, expected=401)

    def _come_late(self, person: Person) -> None:
        expired = self._cast.expired()
        if expired:
            self._protected("expired", "/api/me", token=expired, expected=401)

    def _send_too_much(self, person: Person) -> None:
        self._elsewhere("oversized", "/auth/login", " " * (2 * MAX_BODY), expected=413)

    def _send_nonsense(self, person: Person) -> None:
        self._elsewhere("no JSON", "/auth/login", "{", expected=400)

    def _lose_the_way(self, person: Person) -> None:
        self._protected("unknown", f"/api/{secrets.token_hex(4)}", expected=404)

    def _drop_the_head(self, person: Person) -> None:
        self._drop(b"POST /auth/refresh HTTP/1.1\r\nHost: localhost\r\nCoo")

    def _drop_the_body(self, person: Person) -> None:
        head = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._drop(f'{head}Content-Length: 100\r\n\r\n{{"email"'.encode())

    def _drop_the_answer(self, person: Person) -> None:
        head = f"GET /api/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}"
        self._drop(f"{head}\r\n\r\n".encode())

    def _drop(self, sent: bytes) -> None:
        """Send so much, and go."""
        with self._told("dropped"), socket.create_connection(("127.0.0.1", self._port)) as wire:
            wire.sendall(sent)

    def _elsewhere(self, name: str, path: str, body: str, expected: int) -> None:
        """Over another connection, which the service may close."""
        with self._told(name), closing(self._connected()) as connection:
            self._said(name, connection, "POST", path, body, JSON, expected)

    def _ask(
        self,
        name: str,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        expected: int = 200,
    ) -> Answer:
        headers = dict(headers or {})
        text = None
        if body is not None:
            text = json.dumps(body)
            headers |= JSON
        with self._told(name):
            return self._said(name, self._connection, method, path, text, headers, expected)

    def _said(
        self,
        name: str,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: str | None,
        headers: dict[str, str],
        expected: int,
    ) -> Answer:
        began = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = Answer(answer.status, dict(answer.headers), answer.read())
        later = told.status == 503 and "Retry-After" in told.headers
        fits = told.status == expected
        self._tell(name, told.status, time.perf_counter() - began, fits or later)
        if not fits:
            raise Over(float(told.headers.get("Retry-After", 0)))
        return told

    @contextmanager
    def _told(self, name: str) -> Any:
        """Around one step: when its turn has come; what breaks is told."""
        self._turn()
        try:
            yield
        except (OSError, HTTPException):
            self._tell(name, 0, 0, False)
            raise Over from None

    def _connected(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)


ODDITIES: list[Callable[[Visit, Person], None]] = [
    Visit._change_password,
    Visit._mistype,
    Visit._forge,
    Visit._come_late,
    Visit._send_too_much,
    Visit._send_nonsense,
    Visit._lose_the_way,
    Visit._drop_the_head,
    Visit._drop_the_body,
    Visit._drop_the_answer,
]
"""What happens once in a visit, at some time, beside the ordinary."""


def _credentials(person: Person) -> dict[str, str]:
    return {"email": person.email, "password": person.password}
