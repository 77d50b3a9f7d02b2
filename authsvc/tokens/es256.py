"""Public keys of clients, and their signatures: ES256 (RFC 7518 section 3.4)."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from authsvc.tokens.keyring import decode, encode

__all__ = ["InvalidSignature", "PublicKey"]

MAX_KEYS = 1024
"""Parsed public keys that are cached per process, which bounds the memory."""

_SIZE = 32
"""Bytes of a coordinate, and of each half of a signature (RFC 7518 sections 3.4 and 6.2.1)."""


@dataclass(frozen=True)
class PublicKey:
    """A public key on the curve P-256, as a JWK has it (RFC 7518 section 6.2.1).

    Args:
        x, y: its coordinates, as base64url; they are checked when a signature is verified.
    """

    x: str
    y: str

    @classmethod
    def of_jwk(cls, jwk: str) -> "PublicKey":
        """Return the key of a JWK that `jwk` has written."""
        members = json.loads(jwk)
        return cls(members["x"], members["y"])

    def jwk(self) -> str:
        """Return the JWK as JSON, in the form from which a thumbprint is made."""
        members = {"crv": "P-256", "kty": "EC", "x": self.x, "y": self.y}
        return json.dumps(members, separators=(",", ":"))

    def thumbprint(self) -> str:
        """Return the thumbprint of the key (RFC 7638)."""
        return encode(hashlib.sha256(self.jwk().encode("ascii")).digest())

    def verify(self, signed: bytes, signature: bytes) -> None:
        """Verify a signature of some bytes.

        Raises:
            InvalidSignature: it is not one by this key.
            ValueError: the coordinates are not canonical, or are not a point of the curve.
        """
        if len(signature) != 2 * _SIZE:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:_SIZE], signature[_SIZE:]))
        _parsed(self.x, self.y).verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))


@lru_cache(maxsize=MAX_KEYS)
def _parsed(x: str, y: str) -> EllipticCurvePublicKey:
    """Return the key with these coordinates.

    Raises:
        ValueError: they are not canonical, or are not a point of the curve.
    """
    coordinates = decode(x), decode(y)
    if any(len(coordinate) != _SIZE for coordinate in coordinates):
        raise ValueError("a coordinate does not have 32 bytes")
    numbers = [int.from_bytes(coordinate, "big") for coordinate in coordinates]
    point = EllipticCurvePublicNumbers(numbers[0], numbers[1], SECP256R1())
    key = point.public_key()
    if key.public_numbers() != point:
        raise ValueError("a coordinate is not below the prime of the field")  # OpenSSL reduces it
    return key
