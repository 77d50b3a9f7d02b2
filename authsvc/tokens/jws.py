"""Sign a token, and read one strictly, in the JWS compact form (RFC 7515 section 7.1)."""

import hashlib
import json
import re
from typing import Any

from authsvc import strict_json
from authsvc.tokens.keyring import Keyring, Keys, decode, encode

MAX_LENGTH = 4096
"""Characters. A longer token is refused without being parsed."""

_compact_json = json.JSONEncoder(separators=(",", ":")).encode
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class TokenInvalid(Exception):
    """The token was not issued by this service for this purpose. The failed check is not named."""


class TokenExpired(Exception):
    """The token was issued by this service and has expired."""


def sign(payload: dict[str, Any], keyring: Keyring) -> str:
    """Return a token with this payload, signed by the current key.

    Raises:
        ValueError: it would be longer than `MAX_LENGTH`, and so be refused.
    """
    body = encode(_compact_json(payload).encode("utf-8"))
    signed = f"{keyring.header}.{body}"
    token = f"{signed}.{encode(keyring.current.sign(signed.encode('ascii')))}"
    if len(token) > MAX_LENGTH:
        raise ValueError(
            f"the token would have {len(token)} characters, and one with more than {MAX_LENGTH} "
            "is refused: it needs fewer or shorter claims, roles or audiences"
        )
    return token


def verified_payload(token: str, keys: Keys) -> dict[str, Any]:
    """Return the payload of a token after verifying its header and signature.

    The payload is parsed only after the signature is verified. Its claims are not checked here.

    Raises:
        TokenInvalid: the form, the header, the signature or the JSON is wrong.
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
    """Return the SHA-256 of the token's exact text, which is stored instead of the token.

    Characters outside ASCII become "?", which no token has, so the hash never matches a token's.
    """
    return hashlib.sha256(token.encode("ascii", "replace")).digest()
