"""Write the parts of tokens and proofs (JWS, RFC 7515)."""

import json
from base64 import urlsafe_b64encode
from typing import Any


def json_part(value: dict[str, Any]) -> str:
    """Return a JSON object as a part of a JWT."""
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def base64url(data: bytes) -> str:
    """Return the bytes in base64url, without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
