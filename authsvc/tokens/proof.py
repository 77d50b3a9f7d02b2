"""Proofs of possession (DPoP, RFC 9449): a client signs a request with a key that it keeps.

Where RFC 9449 leaves room, this module takes the narrow reading: one algorithm, one curve, exactly
the header members that a proof needs, and the exact URI. Nothing is stored: a proof may be used
again while it is fresh, together with the cookie.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Any

from authsvc import strict_json
from authsvc.tokens.es256 import InvalidSignature, PublicKey
from authsvc.tokens.keyring import decode, encode

MAX_LENGTH = 4096
"""Characters. A longer proof is refused without being parsed."""
MAX_SKEW = 60
"""Seconds by which `iat` may differ from our clock."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class ProofInvalid(Exception):
    """The proof is not one for this request. The failed check is not named."""


class ProofStale(Exception):
    """The proof is right but not fresh: the client's clock is wrong, or it came late."""


@dataclass(frozen=True)
class Asked:
    """What a proof must be for.

    Args:
        method: the method of the request.
        uri: its URI as the client sent it, without query and fragment; None if it is not known,
            so that no proof is for it.
        now: our time, in seconds since 1970.
    """

    method: str
    uri: str | None
    now: float


class Nonces:
    """Issues nonces: a client whose clock is wrong shows by one that its proof is fresh.

    A nonce is an HMAC of the minute, so every worker knows those of the others, and a restart
    changes nothing (RFC 9449 section 8).

    Args:
        secrets: the current secret, then those that it replaced.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._keys = [hmac.digest(secret, b"authsvc DPoP nonces", "sha256") for secret in secrets]

    def issue(self, now: float) -> str:
        """Return the nonce of this minute. It is accepted for two to three minutes."""
        return _nonce(self._keys[0], _minute(now))

    def is_current(self, nonce: str, now: float) -> bool:
        """Return whether a nonce is of the last minutes, or of the next, as clocks differ."""
        minutes = range(_minute(now) - 2, _minute(now) + 2)
        return nonce in {_nonce(key, minute) for key in self._keys for minute in minutes}


def verify(proof: str, asked: Asked, nonces: Nonces, thumbprint: str | None = None) -> str:
    """Return the thumbprint of the key that signed a proof (RFC 7638).

    Args:
        proof: the value of the DPoP header.
        asked: what it must be for.
        nonces: recognizes our nonces.
        thumbprint: of the key that must have signed it; None for any key.

    Raises:
        ProofInvalid: it is not a proof for this request, or by this key.
        ProofStale: everything is right except its time.
    """
    if len(proof) > MAX_LENGTH or not _COMPACT.fullmatch(proof):
        raise ProofInvalid
    header, body, signature = proof.split(".")
    try:
        key = _key(strict_json.loads(decode(header)))
        found = key.thumbprint()
        if thumbprint not in (None, found):
            raise ProofInvalid
        payload = strict_json.loads(decode(body))
        is_fresh = _is_fresh(payload, asked, nonces)
        key.verify(f"{header}.{body}".encode("ascii"), decode(signature))
    except (ValueError, InvalidSignature):
        raise ProofInvalid from None
    if not is_fresh:
        raise ProofStale
    return found


def _key(header: Any) -> PublicKey:
    """Return the public key in a proof's header, which must have nothing else besides its type."""
    match header:
        case {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y), **more},
            **others,
        } if not more and not others:
            return PublicKey(x, y)
    raise ProofInvalid


def _is_fresh(payload: Any, asked: Asked, nonces: Nonces) -> bool:
    """Return whether a proof for this request is fresh.

    Raises:
        ProofInvalid: the proof is for another request, or lacks a claim (RFC 9449 section 4.2).
    """
    match payload:
        case {"jti": str(jti), "htm": str(htm), "htu": str(htu), "iat": iat} if type(iat) is int:
            if not jti or htm != asked.method or htu != asked.uri:
                raise ProofInvalid
        case _:
            raise ProofInvalid
    nonce = payload.get("nonce", "")
    if type(nonce) is not str:
        raise ProofInvalid
    if asked.now - MAX_SKEW <= iat <= asked.now + MAX_SKEW:  # of any size: nothing overflows
        return True
    return nonces.is_current(nonce, asked.now)


def _nonce(key: bytes, minute: int) -> str:
    return encode(hmac.digest(key, str(minute).encode("ascii"), "sha256")[:16])


def _minute(now: float) -> int:
    return int(now // 60)
