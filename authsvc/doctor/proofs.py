"""Make proofs of possession (DPoP, RFC 9449) with a key that is thrown away."""

import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from authsvc import clock
from authsvc.doctor.encoding import base64url, json_part


class Key:
    """A P-256 key that exists until the program ends."""

    def __init__(self) -> None:
        self._private = generate_private_key(SECP256R1())
        numbers = self._private.public_key().public_numbers()
        self._public = {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(numbers.x.to_bytes(32, "big")),
            "y": base64url(numbers.y.to_bytes(32, "big")),
        }

    def proof(
        self, method: str, uri: str, *, iat: int | None = None, nonce: str | None = None
    ) -> str:
        """Return a proof for a request (RFC 9449 section 4.2).

        Args:
            method: the method of the request.
            uri: its URI, without query and fragment.
            iat: what the clock of the client says, in seconds since 1970; by default it is right.
            nonce: the nonce that the service demanded.
        """
        payload: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": uri,
            "iat": int(clock.now().timestamp()) if iat is None else iat,
        }
        if nonce is not None:
            payload["nonce"] = nonce
        return self._signed({"typ": "dpop+jwt", "alg": "ES256", "jwk": self._public}, payload)

    def device_proof(self, challenge: str, *, with_key: bool) -> str:
        """Return what a browser signs for a session that is bound to its device.

        Args:
            challenge: what the service asks it to sign.
            with_key: whether it registers the key.
        """
        header: dict[str, Any] = {"typ": "dbsc+jwt", "alg": "ES256"}
        if with_key:
            header["jwk"] = self._public
        return self._signed(header, {"jti": challenge})

    def _signed(self, header: dict[str, Any], payload: dict[str, Any]) -> str:
        signed = f"{json_part(header)}.{json_part(payload)}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ECDSA(SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
