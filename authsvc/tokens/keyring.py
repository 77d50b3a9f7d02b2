"""The keys of one kind of token: the current one signs, and the previous one still verifies."""

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
    """One key, bound to the one algorithm that it is for (RFC 8725 section 3.1).

    Args:
        kid: its public name, derived from the key.
        algorithm: the JWS name of its algorithm.
        sign: the signature of some bytes.
        verify: whether a signature is that of some bytes.
        jwk: its public half, as everybody may have it (RFC 7517); a shared secret has none.
    """

    kid: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], bool]
    jwk: Mapping[str, str] | None = None


class Keys(Protocol):
    """Where the key of a token is looked for: a `Keyring`, or one that is fetched."""

    def find(self, header: str) -> Key | None:
        """The key that signs tokens with this header, if it is one of ours."""


def hmac_key(secret: bytes) -> Key:
    """An HS256 key (RFC 7518 section 3.2) from the secret's bytes."""

    def sign(signed: bytes) -> bytes:
        return hmac.digest(secret, signed, "sha256")

    return Key(
        kid=encode(hmac.digest(secret, b"authsvc kid", hashlib.sha256)[:12]),
        algorithm="HS256",
        sign=sign,  # a partial would show the secret in its repr
        verify=lambda signed, signature: hmac.compare_digest(sign(signed), signature),
    )


@dataclass(frozen=True)
class JwkSet:
    """A set of public keys (RFC 7517 section 5).

    Args:
        keys: each as a JWK; the `kid` in the header of a token names one.
    """

    keys: list[dict[str, str]]


class Keyring:
    """The keys of one kind of token, found by the exact header of the tokens that they sign.

    We write every header ourselves, so a token of ours has one of a few known headers, to the
    letter. Looking it up replaces parsing it: no algorithm, key, type or extension that a
    header could name is ever considered.

    Args:
        typ: the header's ``typ``, which says what the token is for (RFC 8725 section 3.11).
        current: the key that signs, and verifies.
        previous: the keys that verify only.
    """

    def __init__(self, typ: str, current: Key, *previous: Key) -> None:
        self.current = current
        self.header = header_of(typ, current)
        self._keys = {header_of(typ, key): key for key in (current, *previous)}

    def find(self, header: str) -> Key | None:
        """The key that signs tokens with this header, if it is one of ours."""
        return self._keys.get(header)

    def jwks(self) -> JwkSet:
        """The public keys, for whoever verifies the tokens elsewhere."""
        return JwkSet([dict(key.jwk) for key in self._keys.values() if key.jwk is not None])


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a base64url text.

    Raises:
        ValueError: not the one text that `encode` gives for those bytes (RFC 4648 section 3.5).
    """
    data = a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def header_of(typ: str, key: Key) -> str:
    """The header of the tokens that this key signs, as it stands in them."""
    header = {"alg": key.algorithm, "kid": key.kid, "typ": typ}
    return encode(json.dumps(header, separators=(",", ":")).encode("ascii"))
