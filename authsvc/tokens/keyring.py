"""The keys of one kind of token: the current key signs, and previous keys still verify."""

import hashlib
import hmac
import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Key:
    """One key, bound to one algorithm (RFC 8725 section 3.1).

    Args:
        kid: its public name, derived from the key.
        algorithm: the JWS name of its algorithm.
        sign: returns the signature of some bytes.
        verify: returns whether a signature of some bytes is valid.
        jwk: the public key to publish (RFC 7517); None for a shared secret.
    """

    kid: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], bool]
    jwk: Mapping[str, str] | None = None


class Keys(Protocol):
    """Finds the key of a token: a `Keyring`, or the fetched keys of another service."""

    def find(self, header: str) -> Key | None:
        """Return the key that signs tokens with this header, or None if it is unknown."""


def hmac_key(secret: bytes) -> Key:
    """Return an HS256 key (RFC 7518 section 3.2) of the secret's bytes."""

    def sign(signed: bytes) -> bytes:
        return hmac.digest(secret, signed, "sha256")

    return Key(
        kid=encode(hmac.digest(secret, b"authsvc kid", hashlib.sha256)[:12]),
        algorithm="HS256",
        sign=sign,  # a partial would have the secret in its repr
        verify=lambda signed, signature: hmac.compare_digest(sign(signed), signature),
    )


@dataclass(frozen=True)
class JwkSet:
    """A set of public keys (RFC 7517 section 5).

    Args:
        keys: each as a JWK. The `kid` in a token's header names one of them.
    """

    keys: list[dict[str, str]]


class Keyring:
    """The keys of one kind of token, each found by the exact header of the tokens that it signs.

    The service writes every header itself, so its tokens have one of a few known headers. The
    header is looked up and never parsed, so it cannot choose an algorithm, key, type or extension.

    Args:
        typ: the header's ``typ``, the purpose of the token (RFC 8725 section 3.11).
        current: the key that signs and verifies.
        previous: keys that only verify.
    """

    def __init__(self, typ: str, current: Key, *previous: Key) -> None:
        self.current = current
        self.header = header_of(typ, current)
        self._keys = {header_of(typ, key): key for key in (current, *previous)}

    def find(self, header: str) -> Key | None:
        """Return the key that signs tokens with this header, or None if it is unknown."""
        return self._keys.get(header)

    def jwks(self) -> JwkSet:
        """Return the public keys, for other services that verify the tokens."""
        return JwkSet([dict(key.jwk) for key in self._keys.values() if key.jwk is not None])


def encode(data: bytes) -> str:
    """Return the base64url text of the bytes, without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of a base64url text.

    Raises:
        ValueError: it is not the text that `encode` returns (RFC 4648 section 3.5).
    """
    data = a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("the text is not canonical base64url")
    return data


def header_of(typ: str, key: Key) -> str:
    """Return the encoded header of the tokens that this key signs."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": typ}
    return encode(json.dumps(header, separators=(",", ":")).encode("ascii"))
