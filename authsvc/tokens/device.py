"""Device-bound sessions (W3C Device Bound Session Credentials): what the browser signs, and the
marker that shows that it did. Nothing is stored: each is an HMAC, which every worker recognizes.
"""

import hashlib
import hmac
import re
from typing import Any
from uuid import UUID

from authsvc import strict_json
from authsvc.tokens.es256 import InvalidSignature, PublicKey
from authsvc.tokens.jws import TokenInvalid, sign, verified_payload
from authsvc.tokens.keyring import Keyring, decode, encode, hmac_key
from authsvc.tokens.times import LEEWAY

MAX_LENGTH = 4096
"""Characters. A longer proof is refused without being parsed."""
MARKER_LIFE = 600
"""Seconds. Chrome renews a marker that expires soon at each request: at 100 s it signed all the
time, at 600 s when it had expired."""
REGISTRATION_LIFE = 300
"""Seconds from the login within which a browser may register its key."""
CHALLENGE_WINDOW = 300
"""Seconds in which a session's challenge stays the same, since browsers limit how often they sign.
It is accepted for as long again."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_TIME, _MAC = 8, 16
"""Bytes of the parts of a challenge for a registration: its expiry, and each of two hashes."""


class DeviceProofInvalid(Exception):
    """The proof is not one by the device for this challenge. The failed check is not named."""


class DeviceTokens:
    """Issues and recognizes challenges and markers.

    Args:
        secrets: the current secret, then those that it replaced.
        marker_life: seconds that a marker lives.
    """

    def __init__(self, *secrets: bytes, marker_life: int = MARKER_LIFE) -> None:
        self.marker_life = marker_life
        self._keys = [hmac.digest(secret, b"authsvc device", "sha256") for secret in secrets]
        self._markers = Keyring("dm+jwt", *(hmac_key(key) for key in self._keys))

    def registration_challenge(self, sid: UUID, replaces: str | None, now: float) -> str:
        """Return the challenge for registering the key of a session's device.

        Args:
            sid: the session.
            replaces: the key that is registered already, which only this challenge replaces.
            now: our time, in seconds since 1970.
        """
        expires_at = int(now + REGISTRATION_LIFE).to_bytes(_TIME, "big")
        content = expires_at + _digest(replaces)
        return encode(content + _registration(self._keys[0], sid, content))

    def is_registration(
        self, challenge: str, sid: UUID, registered: str | None, key: str, now: float
    ) -> bool:
        """Return whether a challenge lets a session's device register a key, and is not expired.

        The key that is registered already may come again, because a response can be lost. Its
        proof expires too, or else a copy of it would be worth a marker for ever.

        Args:
            challenge: what was signed.
            sid: the session.
            registered: the key that is registered already.
            key: the key that is to be registered.
            now: our time, in seconds since 1970.
        """
        try:
            data = decode(challenge)
        except ValueError:
            return False
        content, mac = data[: _TIME + _MAC], data[_TIME + _MAC :]
        if now >= int.from_bytes(content[:_TIME], "big"):
            return False
        if registered != key and content[_TIME:] != _digest(registered):
            return False
        macs = (_registration(one, sid, content) for one in self._keys)
        return any(hmac.compare_digest(mac, one) for one in macs)

    def challenge(self, sid: UUID, now: float) -> str:
        """Return the challenge for renewing the marker of a session."""
        return _challenge(self._keys[0], sid, _window(now))

    def is_current(self, challenge: str, sid: UUID, now: float) -> bool:
        """Return whether a challenge is of this window, or of one beside it, as clocks differ."""
        windows = range(_window(now) - 1, _window(now) + 2)
        return challenge in {_challenge(key, sid, one) for key in self._keys for one in windows}

    def marker(self, sid: UUID, now: float) -> str:
        """Return the marker of a session, whose device has just signed."""
        return sign({"sid": str(sid), "exp": int(now) + self.marker_life}, self._markers)

    def is_marker(self, marker: str, sid: UUID, now: float) -> bool:
        """Return whether this is a marker of the session that has not expired."""
        try:
            payload = verified_payload(marker, self._markers)
        except TokenInvalid:
            return False
        exp = payload.get("exp")
        return payload.get("sid") == str(sid) and type(exp) is int and now < exp + LEEWAY


def read_registration(proof: str) -> tuple[PublicKey, str]:
    """Return the key of a device that registers, and the challenge that it has signed.

    Raises:
        DeviceProofInvalid: it is not a proof, or not signed by the key that it contains.
    """
    header, payload, signed, signature = _parts(proof)
    match header:
        case {
            "typ": "dbsc+jwt",
            "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y), **more},
            **others,
        } if not more and not others:
            key = PublicKey(x, y)
        case _:
            raise DeviceProofInvalid
    _verify(key, signed, signature)
    return key, _jti(payload)


def read_renewal(proof: str, key: PublicKey) -> str:
    """Return the challenge that the registered key of a device has signed.

    Raises:
        DeviceProofInvalid: it is not a proof by this key.
    """
    header, payload, signed, signature = _parts(proof)
    if header != {"typ": "dbsc+jwt", "alg": "ES256"}:
        raise DeviceProofInvalid
    _verify(key, signed, signature)
    return _jti(payload)


def _parts(proof: str) -> tuple[Any, Any, bytes, bytes]:
    """Return the header, the payload, the bytes that were signed, and the signature."""
    if len(proof) > MAX_LENGTH or not _COMPACT.fullmatch(proof):
        raise DeviceProofInvalid
    header, body, signature = proof.split(".")
    try:
        read = strict_json.loads(decode(header)), strict_json.loads(decode(body))
        return *read, f"{header}.{body}".encode("ascii"), decode(signature)
    except ValueError:
        raise DeviceProofInvalid from None


def _verify(key: PublicKey, signed: bytes, signature: bytes) -> None:
    try:
        key.verify(signed, signature)
    except (ValueError, InvalidSignature):
        raise DeviceProofInvalid from None


def _jti(payload: Any) -> str:
    match payload:
        case {"jti": str(challenge)}:
            return challenge
    raise DeviceProofInvalid


def _digest(key: str | None) -> bytes:
    return hashlib.sha256((key or "").encode("ascii")).digest()[:_MAC]


def _registration(key: bytes, sid: UUID, content: bytes) -> bytes:
    return hmac.digest(key, b"register:" + sid.bytes + content, "sha256")[:_MAC]


def _challenge(key: bytes, sid: UUID, window: int) -> str:
    text = b"renew:" + sid.bytes + str(window).encode("ascii")
    return encode(hmac.digest(key, text, "sha256")[:_MAC])


def _window(now: float) -> int:
    return int(now // CHALLENGE_WINDOW)
