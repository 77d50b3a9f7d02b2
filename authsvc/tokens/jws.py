"""The signed compact form of a token (RFC 7515 section 7.1): written, and read strictly."""

import hashlib
import json
import re
from typing import Any

from authsvc import strict_json
from authsvc.tokens.keyring import Keyring, Keys, decode, encode

MAX_LENGTH = 4096
"""Characters; a longer token is refused unread."""

_compact_json = json.JSONEncoder(separators=(",", ":")).encode
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class TokenInvalid(Exception):
    """The token is not one that we issued for this purpose; which check failed is not told."""


class TokenExpired(Exception):
    """The token is ours, and its time is over."""


def sign(payload: dict[str, Any], keyring: Keyring) -> str:
    """The token that holds this payload, signed by the current key."""
    body = encode(_compact_json(payload).encode("utf-8"))
    signed = f"{keyring.header}.{body}"
    return f"{signed}.{encode(keyring.current.sign(signed.encode('ascii')))}"


def verified_payload(token: str, keys: Keys) -> dict[str, Any]:
    """The payload of a token whose header and signature are right; nothing in it is checked yet.

    The payload is not parsed before its signature is verified.

    Raises:
        TokenInvalid: in every other case.
    """
    if len(token) > MAX_LENGTH or not _COMPACT.fullmatch(token):
        raise TokenInvalid
    header, body, signature = token.split(".")
    key = keys.find(header)
    if key is None:
        raise TokenInvalid
    try:
        if not key.verify(f"{header}.{body}".encode("ascii"), decode(signature)):
            raise TokenInvalid
        payload = strict_json.loads(decode(body))
    except ValueError:
        raise TokenInvalid from None
    if not isinstance(payload, dict):
        raise TokenInvalid
    return payload


def token_hash(token: str) -> bytes:
    """Return the SHA-256 of the token's exact text: what is kept in place of a token.

    Text outside ASCII is not a token, and "?" appears in none, so its hash is not a token's.
    """
    return hashlib.sha256(token.encode("ascii", "replace")).digest()
