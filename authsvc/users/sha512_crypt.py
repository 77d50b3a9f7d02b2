"""SHA512-crypt, the `$6$` of crypt(3), which Python 3.13 removed with its module `crypt`."""

from hashlib import sha512

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DEFAULT_ROUNDS = 5000
MIN_ROUNDS = 1000


def digest(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the last field of the hash (Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512").

    Args:
        password: the password.
        salt: at most 16 bytes.
        rounds: how often the inner hash is computed.
    """
    result, password_bytes, salt_bytes = _before_the_rounds(password, salt)
    for number in range(max(rounds, MIN_ROUNDS)):
        inner = sha512(password_bytes if number % 2 else result)
        if number % 3:
            inner.update(salt_bytes)
        if number % 7:
            inner.update(password_bytes)
        inner.update(result if number % 2 else password_bytes)
        result = inner.digest()
    return _encoded(result)


def _before_the_rounds(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the digest to begin with, and what the rounds use as password and salt."""
    length = len(password)
    alternate = sha512(password + salt + password).digest()
    first = sha512(password + salt + _stretched(alternate, length))
    bits = length
    while bits:
        first.update(alternate if bits & 1 else password)
        bits >>= 1
    result = first.digest()
    password_bytes = _stretched(sha512(password * length).digest(), length)
    salt_bytes = _stretched(sha512(salt * (16 + result[0])).digest(), len(salt))
    return result, password_bytes, salt_bytes


def _stretched(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(result: bytes) -> str:
    """Return 86 characters: three bytes in four, in an order of their own, the last by itself."""
    text, first, second, third = "", 0, 21, 42
    for _ in range(21):
        text += _characters(result[first] << 16 | result[second] << 8 | result[third], 4)
        first, second, third = second + 1, third + 1, first + 1
    return text + _characters(result[63], 2)


def _characters(number: int, count: int) -> str:
    return "".join(ALPHABET[number >> 6 * place & 63] for place in range(count))
