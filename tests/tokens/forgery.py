"""Forge tokens: by joserfc, which follows the standard, and by hand, which need not."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.jwk import OctKey

NOW = datetime(2026, 11, 24, 10, 57, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
ALICE = UUID("01931d6e-0000-7000-8000-00000000000a")
SESSION = UUID("01931d6e-0000-7000-8000-000000000051")
ISS = "https://auth.example.com"


def payload(**changed: Any) -> dict[str, Any]:
    """Return valid claims of an access token for Alice; a value of None removes the claim."""
    claims = {
        "iss": ISS,
        "sub": str(ALICE),
        "aud": "https://api.example.com",
        "exp": EPOCH + 600,
        "iat": EPOCH,
        "jti": "3f0c1d4e-8c2b-4d53-9c1a-5b6f7a8e9d01",
        "sid": str(SESSION),
        "auth_time": EPOCH,
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def by_joserfc(secret: bytes, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a token signed by joserfc."""
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    text = json.dumps(claims)
    return jws.serialize_compact(header, text, OctKey.import_key(secret), registry=registry)


def by_hand(secret: bytes, header: dict[str, Any] | bytes, body: dict[str, Any] | bytes) -> str:
    """Return a token with exactly this header and payload and a valid HS256 signature."""
    signed = f"{b64(_bytes(header))}.{b64(_bytes(body))}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(part: dict[str, Any] | bytes) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
