"""DPoP proofs as an independent client makes them, and made with one fault."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey

ORIGIN = "http://localhost"


class Prover:
    """A client that holds a key.

    Args:
        origin: the service's own.
    """

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.key = ECKey.generate_key("P-256")
        public = self.key.as_dict(private=False)
        self.jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        self.thumbprint = self.key.thumbprint()

    def proof(
        self,
        path: str,
        *,
        method: str = "POST",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return a proof for a request; further claims replace those of an honest one."""
        payload = {
            "jti": "one",
            "htm": method,
            "htu": f"{self.origin}{path}",
            "iat": int(time.time()),
            **claims,
        }
        return self.signed(
            {name: value for name, value in payload.items() if value is not ...}, header
        )

    def signed(self, payload: Any, header: dict[str, Any] | None = None) -> str:
        """Return what joserfc makes of a payload; further header members replace the usual ones."""
        protected = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk, **(header or {})}
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        return jws.serialize_compact(
            protected, json.dumps(payload).encode(), self.key, registry=registry
        )

    def signed_by_hand(self, header: bytes, payload: bytes) -> str:
        """Return a proof of exactly these bytes, with a valid signature."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"

    def sign(self, signed: bytes) -> bytes:
        """Return the valid signature of some bytes."""
        return b"".join(number.to_bytes(32, "big") for number in self.signature_of(signed))

    def signature_of(self, signed: bytes) -> tuple[int, int]:
        """Return the two numbers of a valid signature of some bytes."""
        return decode_dss_signature(self.key.private_key.sign(signed, ECDSA(SHA256())))


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
