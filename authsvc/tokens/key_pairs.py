"""Key pairs: the private key signs access tokens, and the published public key verifies them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from authsvc.tokens.algorithms import Algorithm
from authsvc.tokens.keyring import Key, decode, encode

_EDDSA = OKPAlgorithm()
_ES256 = ECAlgorithm(ECAlgorithm.SHA256, SECP256R1)


def generate_pem(algorithm: Algorithm) -> str:
    """Return a new private key as PEM text that `key_from_pem` reads (PKCS #8, not encrypted)."""
    key = (
        Ed25519PrivateKey.generate() if algorithm == "EdDSA" else generate_private_key(SECP256R1())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def key_from_pem(text: str) -> Key:
    """Return the key of a private key in PEM form. The key determines its algorithm.

    Raises:
        ValueError: the key cannot sign access tokens. The message says why and never contains
            any of the text.
    """
    try:
        private = load_pem_private_key(text.encode("utf-8"), password=None)
    except TypeError:
        raise ValueError("is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        public = "PUBLIC KEY-----" in text
        raise ValueError(
            "is a public key" if public else "is not a private key in PEM form"
        ) from None
    if isinstance(private, Ed25519PrivateKey):
        return replace(_ed25519(private.public_key()), sign=private.sign)
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return replace(
            _p256(private.public_key()), sign=lambda signed: _ES256.sign(signed, private)
        )
    raise ValueError("is neither an Ed25519 nor a P-256 key")


def key_from_jwk(jwk: Any) -> Key:
    """Return the key of a published public key. It verifies and cannot sign.

    Its `kid` is computed from the key, so the publisher's own `kid` is ignored.

    Raises:
        ValueError: the JWK is not a public key for EdDSA or ES256 signatures.
    """
    match jwk:
        case {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": str(x)}:
            return _ed25519(Ed25519PublicKey.from_public_bytes(decode(x)))
        case {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "x": str(x),
            "y": str(y),
        }:
            numbers = EllipticCurvePublicNumbers(_number(x), _number(y), SECP256R1())
            return _p256(numbers.public_key())
    raise ValueError("not a key for EdDSA or ES256 signatures")


def _ed25519(public: Ed25519PublicKey) -> Key:
    return _public_key(
        "EdDSA",
        OKPAlgorithm.to_jwk(public, as_dict=True),
        lambda signed, signature: _EDDSA.verify(signed, public, signature),
    )


def _p256(public: EllipticCurvePublicKey) -> Key:
    return _public_key(
        "ES256",
        ECAlgorithm.to_jwk(public, as_dict=True),
        lambda signed, signature: _ES256.verify(signed, public, signature),
    )


def _public_key(
    algorithm: Algorithm, jwk: dict[str, str], verify: Callable[[bytes, bytes], bool]
) -> Key:
    kid = _thumbprint(jwk)
    published = {**jwk, "kid": kid, "use": "sig", "alg": algorithm}
    return Key(kid, algorithm, _cannot_sign, verify, published)


def _thumbprint(jwk: dict[str, str]) -> str:
    """Return the RFC 7638 thumbprint: SHA-256 of the key's members, sorted by name."""
    members = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(members.encode("ascii")).digest())


def _number(text: str) -> int:
    return int.from_bytes(decode(text), "big")


def _cannot_sign(signed: bytes) -> NoReturn:
    raise TypeError("A public key cannot sign.")
