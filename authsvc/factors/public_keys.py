"""The public keys of passkeys: refuse one that could never verify a signature."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

ES256, RS256 = -7, -257
ALGORITHMS = (ES256, RS256)
"""The COSE algorithms that we accept, best first. Each authenticator knows one of them."""

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
MAX_EXPONENT_BITS = 64
"""OpenSSL verifies nothing by a long key with a larger exponent."""

_KTY, _ALG = 1, 3
_SHAPES: dict[tuple[Any, ...], dict[int, object]] = {
    (2, ES256): {-1: 1, -2: bytes, -3: bytes},
    (3, RS256): {-1: bytes, -2: bytes},
}
"""The further members of a COSE key (WebAuthn level 3, section 5.8.5) by its type and algorithm."""

_COORDINATE = 32


def check_public_key(key: object) -> None:
    """Check a COSE key: one of our algorithms, its members and no others, and on its curve.

    Args:
        key: decoded from CBOR.

    Raises:
        ValueError: it is not such a key.
    """
    if not isinstance(key, dict):
        raise ValueError("the key is not a map")
    members = dict(key)
    kind = (members.pop(_KTY, None), members.pop(_ALG, None))
    shape = _SHAPES.get(kind) if all(type(part) is int for part in kind) else None
    if shape is None or members.keys() != shape.keys():
        raise ValueError("the key has another algorithm, or other members")
    for name, wanted in shape.items():
        value = members[name]
        if type(value) is not wanted and (type(value) is not int or value != wanted):
            raise ValueError("a member of the key has another value or type")
    _CHECKS[kind](members)


def _check_p256(members: dict[int, Any]) -> None:
    x, y = members[-2], members[-3]
    if len(x) != _COORDINATE or len(y) != _COORDINATE:
        raise ValueError("a coordinate has another length")
    EllipticCurvePublicNumbers(_number(x), _number(y), SECP256R1()).public_key()


def _check_rsa(members: dict[int, Any]) -> None:
    modulus, exponent = _number(members[-1]), _number(members[-2])
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise ValueError("the modulus is too short or too long")
    if exponent.bit_length() > MAX_EXPONENT_BITS:
        raise ValueError("the exponent is too long")
    RSAPublicNumbers(exponent, modulus).public_key()


_CHECKS = {(2, ES256): _check_p256, (3, RS256): _check_rsa}


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
