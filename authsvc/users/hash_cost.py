"""How much work a stored hash may ask for. Operators import hashes with any parameters."""

import re
from dataclasses import dataclass
from math import prod

# Each limit is about half a second of one core, for which other logins may have to wait. The
# defaults of Django 6, passlib, bcrypt, werkzeug and argon2-cffi are within the limits. passlib's
# 656,000 rounds of SHA512-crypt take 0.7 s, since they are computed in Python.
MAX_BCRYPT_COST = 13
MAX_PBKDF2_ITERATIONS = 1_500_000
MAX_SCRYPT_WORK = 2**20
MAX_ARGON2_WORK = 2**19
MAX_ARGON2_THREADS = 16
MAX_SHA512_CRYPT_WORK = 700_000
SHA512_CRYPT_BYTES = 128
"""A round of SHA512-crypt hashes the password again: a long one costs as much as more rounds."""


@dataclass(frozen=True)
class _Bound:
    pattern: re.Pattern[str]  # its groups are factors of the cost
    name: str
    limit: int


def excess(hash: str, password_bytes: int = 0) -> str | None:
    """Return why the hash is too expensive to verify, or None.

    Args:
        hash: the stored hash.
        password_bytes: the length of the password that it is compared with.
    """
    for bound in _BOUNDS:
        match = bound.pattern.match(hash)
        if match is not None:
            cost = prod(map(int, match.groups()))
            if bound.name == _SHA512_CRYPT:
                cost *= 1 + password_bytes // SHA512_CRYPT_BYTES
            if cost > bound.limit:
                return f"{bound.name} {cost}, at most {bound.limit}"
    return None


_SHA512_CRYPT = "SHA512-crypt rounds"
_NUMBER = "([0-9]{1,18})"
_ARGON2 = r"(?:argon2)?\$argon2(?:id|i|d)\$(?:v=[0-9]+\$)?"

_BOUNDS = (
    _Bound(re.compile(r"\$2[abxy]\$([0-9]{2})\$"), "bcrypt cost", MAX_BCRYPT_COST),
    _Bound(
        re.compile(rf"(?:pbkdf2_sha[0-9]+\$|\$pbkdf2-sha[0-9]+\$|pbkdf2:[^:$]*:){_NUMBER}\$"),
        "PBKDF2 iterations",
        MAX_PBKDF2_ITERATIONS,
    ),
    _Bound(
        re.compile(f"scrypt:{_NUMBER}:{_NUMBER}:{_NUMBER}" + r"\$"),
        "scrypt N*r*p",
        MAX_SCRYPT_WORK,
    ),
    _Bound(
        re.compile(f"{_ARGON2}m={_NUMBER},t={_NUMBER},"),
        "argon2 KiB times passes",
        MAX_ARGON2_WORK,
    ),
    _Bound(
        re.compile(f"{_ARGON2}m=[0-9]+,t=[0-9]+,p={_NUMBER}" + r"\$"),
        "argon2 threads",
        MAX_ARGON2_THREADS,
    ),
    _Bound(re.compile(rf"\$6\$rounds={_NUMBER}\$"), _SHA512_CRYPT, MAX_SHA512_CRYPT_WORK),
)
