"""An authenticator in software, and the browser around it, which can also be made to do wrong.

It shares no code with the library that the service verifies with.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.cbor import cbor
from tests.support.dpop import ORIGIN, b64

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
"""The flags of authenticator data (WebAuthn level 3, section 6.1)."""

Algorithm = Literal["ES256", "EdDSA", "RS256"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Attest = Callable[[bytes], dict[str, Any]]
"""Returns an attestation statement for what the authenticator would sign."""

COSE: dict[Algorithm, int] = {"ES256": -7, "EdDSA": -8, "RS256": -257}


class SoftwareAuthenticator:
    """An authenticator that holds one passkey, in a browser that shows one page.

    Args:
        origin: of the page.
        algorithm: of the key, which it makes at once.
        flags: what it says about the person and the key: UP, UV, BE and BS.
        sign_count: how often it says that the key was used; None if it does not count.
        credential_id: the id of the passkey.
    """

    def __init__(
        self,
        origin: str = ORIGIN,
        algorithm: Algorithm = "ES256",
        *,
        flags: int = UP | UV,
        sign_count: int | None = None,
        credential_id: bytes | None = None,
    ) -> None:
        self.origin = origin
        self.algorithm: Algorithm = algorithm
        self.flags = flags
        self.sign_count = sign_count
        self.credential_id = credential_id or secrets.token_bytes(32)
        self.key = new_key(algorithm)
        self.user_handle = b""

    @property
    def id(self) -> str:
        """The id of the passkey, as base64url."""
        return b64(self.credential_id)

    def create(
        self,
        options: dict[str, Any],
        *,
        rp_id: str | None = None,
        flags: int | None = None,
        credential_id: bytes | None = None,
        public_key: Any = None,
        extensions: bytes = b"",
        fmt: str = "none",
        attest: Attest = lambda signed: {},
        authenticator_data: bytes | None = None,
        attestation_object: bytes | None = None,
        client_data_json: bytes | None = None,
        **client_data: Any,
    ) -> dict[str, Any]:
        """Return the `RegistrationResponseJSON` for a `PublicKeyCredentialCreationOptionsJSON`.

        Args:
            options: what the service returned.
            rp_id, flags, credential_id: replace the right ones.
            public_key: the COSE key as a mapping, or as bytes of CBOR.
            extensions: the CBOR after the key, and the flag for it.
            fmt, attest: the attestation.
            authenticator_data, attestation_object, client_data_json: replace the whole.
            client_data: members that replace those of the client data; `...` leaves one out.
        """
        self.user_handle = unb64(options["user"]["id"])
        client_data_json = client_data_json or self._client_data(
            "webauthn.create", options["challenge"], client_data
        )
        key = self.public_key if public_key is None else public_key
        credential_id = self.credential_id if credential_id is None else credential_id
        attested = (
            bytes(16)
            + len(credential_id).to_bytes(2, "big")
            + credential_id
            + (key if isinstance(key, bytes) else cbor(key))
        )
        data = authenticator_data or self._data(
            rp_id or options["rp"]["id"],
            (self.flags | AT if flags is None else flags) | (ED if extensions else 0),
            self.sign_count or 0,
        ) + (attested + extensions)
        statement = attest(data + hashlib.sha256(client_data_json).digest())
        whole = {"fmt": fmt, "attStmt": statement, "authData": data}
        return {
            "id": b64(credential_id),
            "rawId": b64(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": b64(client_data_json),
                "attestationObject": b64(attestation_object or cbor(whole)),
                "transports": ["internal"],
            },
        }

    def get(
        self,
        options: dict[str, Any],
        *,
        rp_id: str | None = None,
        flags: int | None = None,
        sign_count: int | None = None,
        extensions: bytes = b"",
        user_handle: bytes | None = None,
        authenticator_data: bytes | None = None,
        client_data_json: bytes | None = None,
        sign: Callable[[bytes], bytes] | None = None,
        **client_data: Any,
    ) -> dict[str, Any]:
        """Return the `AuthenticationResponseJSON` for a `PublicKeyCredentialRequestOptionsJSON`.

        Args:
            options: what the service returned.
            rp_id, flags, sign_count, user_handle: replace the right ones.
            extensions: the CBOR at the end of the authenticator data, and the flag for it.
            authenticator_data, client_data_json: replace the whole.
            sign: signs in place of the key of the passkey.
            client_data: members that replace those of the client data; `...` leaves one out.
        """
        client_data_json = client_data_json or self._client_data(
            "webauthn.get", options["challenge"], client_data
        )
        if self.sign_count is not None:
            self.sign_count += 1
        count = (self.sign_count or 0) if sign_count is None else sign_count
        flags = (self.flags if flags is None else flags) | (ED if extensions else 0)
        data = authenticator_data or (
            self._data(rp_id or options["rpId"], flags, count) + extensions
        )
        signed = data + hashlib.sha256(client_data_json).digest()
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(client_data_json),
                "authenticatorData": b64(data),
                "signature": b64((sign or self.sign)(signed)),
                "userHandle": b64(self.user_handle if user_handle is None else user_handle),
            },
        }

    @property
    def public_key(self) -> dict[int, Any]:
        """The COSE key (RFC 9052 section 7)."""
        return cose_key(self.key)

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of some bytes by the key of the passkey."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(signed, ec.ECDSA(SHA256()))
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), SHA256())
        return self.key.sign(signed)

    def _client_data(self, kind: str, challenge: str, replaced: dict[str, Any]) -> bytes:
        members = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
            **replaced,
        }
        kept = {name: value for name, value in members.items() if value is not ...}
        return json.dumps(kept, separators=(",", ":")).encode()

    def _data(self, rp_id: str, flags: int, sign_count: int) -> bytes:
        """Return the first 37 bytes of authenticator data."""
        rp_id_hash = hashlib.sha256(rp_id.encode()).digest()
        return rp_id_hash + bytes([flags]) + sign_count.to_bytes(4, "big")


def new_key(algorithm: Algorithm) -> PrivateKey:
    """Return a new private key for an algorithm."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def cose_key(key: PrivateKey) -> dict[int, Any]:
    """Return the public half of a key as a COSE key (RFC 9053 section 7, RFC 8230 section 4)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return {1: 2, 3: COSE["ES256"], -1: 1, -2: x, -3: y}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        return {1: 3, 3: COSE["RS256"], -1: modulus, -2: numbers.e.to_bytes(3, "big")}
    return {1: 1, 3: COSE["EdDSA"], -1: 6, -2: key.public_key().public_bytes_raw()}


def unb64(text: str) -> bytes:
    """Return the bytes of a base64url text without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
