"""Hashes of imported users: verified until their next login, and never created."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from hmac import compare_digest

import bcrypt
from pwdlib.hashers.argon2 import Argon2Hasher
from werkzeug.security import check_password_hash

from authsvc.users import sha512_crypt

BCRYPT_BYTES = 72
"""bcrypt reads only so many bytes of a password."""

Match = re.Match[str]


@dataclass(frozen=True)
class ImportedHash:
    """One format of hashes, in the form that pwdlib calls a hasher.

    Args:
        pattern: matches a whole hash of this format.
        matches: returns whether a password has the hash that the pattern matched.
    """

    pattern: re.Pattern[str]
    matches: Callable[[Match, str], bool]

    def identify(self, hash: str | bytes) -> bool:
        return self.pattern.fullmatch(str(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        raise NotImplementedError("new passwords are hashed with argon2id")

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        match = self.pattern.fullmatch(str(hash))
        return match is not None and self.matches(match, str(password))

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        return True


def is_known(hash: str) -> bool:
    """Return whether the text is a hash in a format that a login can verify."""
    return Argon2Hasher.identify(hash) or any(format.identify(hash) for format in IMPORTED)


def _bcrypt(hash: Match, password: str) -> bool:
    return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], hash[0].encode())


def _werkzeug(hash: Match, password: str) -> bool:
    return check_password_hash(hash[0], password)


def _django_argon2(hash: Match, password: str) -> bool:
    return Argon2Hasher().verify(password, hash["argon2"])


def _django_pbkdf2(hash: Match, password: str) -> bool:
    iterations, salt = int(hash["iterations"]), hash["salt"].encode()
    digest = pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    return compare_digest(b64encode(digest).decode(), hash["digest"])


def _passlib_pbkdf2(hash: Match, password: str) -> bool:
    iterations, salt = int(hash["iterations"]), _from_passlib(hash["salt"])
    digest = pbkdf2_hmac(f"sha{hash['bits']}", password.encode(), salt, iterations)
    return compare_digest(digest, _from_passlib(hash["digest"]))


def _from_passlib(text: str) -> bytes:
    padding = "=" * (-len(text) % 4)
    return b64decode(text.replace(".", "+") + padding, validate=True)


def _sha512_crypt(hash: Match, password: str) -> bool:
    rounds = int(hash["rounds"] or sha512_crypt.DEFAULT_ROUNDS)
    digest = sha512_crypt.digest(password.encode(), hash["salt"].encode(), rounds)
    return compare_digest(digest, hash["digest"])


_ITERATIONS = "(?P<iterations>[1-9][0-9]{0,9})"

IMPORTED = (
    ImportedHash(re.compile(r"\$2[aby]\$[0-9]{2}\$[A-Za-z0-9./]{53}"), _bcrypt),
    ImportedHash(re.compile(r"(scrypt|pbkdf2):[^$]*\$[^$]+\$[0-9a-f]+"), _werkzeug),
    ImportedHash(re.compile(r"argon2(?P<argon2>\$argon2id\$[!-~]+)"), _django_argon2),
    ImportedHash(
        re.compile(
            rf"pbkdf2_sha256\${_ITERATIONS}\$(?P<salt>[^$]+)\$(?P<digest>[A-Za-z0-9+/]{{43}}=)"
        ),
        _django_pbkdf2,
    ),
    ImportedHash(
        re.compile(
            rf"\$pbkdf2-sha(?P<bits>256|512)\${_ITERATIONS}"
            r"\$(?P<salt>[A-Za-z0-9./]*)\$(?P<digest>[A-Za-z0-9./]+)"
        ),
        _passlib_pbkdf2,
    ),
    ImportedHash(
        re.compile(
            r"\$6\$(rounds=(?P<rounds>[1-9][0-9]{0,8})\$)?"
            r"(?P<salt>[!#-~]{0,16}?)\$(?P<digest>[A-Za-z0-9./]{86})"
        ),
        _sha512_crypt,
    ),
)
"""bcrypt, werkzeug, Django (two), passlib and crypt(3)."""
