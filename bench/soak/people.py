"""The people of the soak: who has an account and is not visiting now."""

import random
import time
from dataclasses import dataclass, field
from threading import Lock

from authsvc.tokens.times import LEEWAY

ACCESS_TTL = 60
"""Seconds that the service's access tokens live."""
NEW_SHARE = 0.3
"""Of visits, by a person without an account."""


@dataclass
class Person:
    """A person with an account, and the cookie that their browser holds."""

    email: str
    password: str
    cookie: str = ""


@dataclass
class People:
    """The people between their visits, and the access tokens that they no longer use."""

    absent: list[Person] = field(default_factory=list)
    abandoned_tokens: list[tuple[float, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def next_visitor(self) -> Person | None:
        """Take one of the people, or return None: a new person should register."""
        with self.lock:
            if not self.absent or random.random() < NEW_SHARE:
                return None
            return self.absent.pop(random.randrange(len(self.absent)))

    def add(self, person: Person) -> None:
        with self.lock:
            self.absent.append(person)

    def abandon_token(self, token: str) -> None:
        with self.lock:
            self.abandoned_tokens.append((time.monotonic() + ACCESS_TTL + LEEWAY + 1, token))

    def take_expired_token(self) -> str | None:
        """Return an access token that has expired, if there is one."""
        with self.lock:
            if not self.abandoned_tokens or self.abandoned_tokens[0][0] > time.monotonic():
                return None
            return self.abandoned_tokens.pop(0)[1]
