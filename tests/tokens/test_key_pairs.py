"""Key pairs: read strictly, named by their thumbprint, and compatible with joserfc."""

from dataclasses import asdict
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OKPKey

from authsvc.tokens.access import AccessTokens, AccessTokenVerifier, access_keyring
from authsvc.tokens.jws import TokenInvalid
from authsvc.tokens.key_pairs import generate_pem, key_from_jwk, key_from_pem
from authsvc.tokens.keyring import Key, hmac_key
from tests.support.key_pair_settings import ED25519, ED25519_ORDER, P256, P256_ORDER, PEM
from tests.support.signing_secrets import ACCESS_SECRET
from tests.tokens.forgery import ALICE, ISS, NOW, SESSION

# RFC 9864 names it Ed25519; other libraries still use EdDSA (RFC 8037).
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
ALGORITHMS = pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])


def key_of(algorithm: str) -> Key:
    return key_from_pem(PEM[algorithm])


def theirs(algorithm: str) -> OKPKey | ECKey:
    """Return the key as joserfc reads it."""
    return (OKPKey if algorithm == "EdDSA" else ECKey).import_key(PEM[algorithm])


def pem_of(private: Any, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def public_pem(pem: str) -> str:
    public = load_pem_private_key(pem.encode(), None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def issue(key: Key) -> str:
    tokens = AccessTokens(access_keyring(key), ISS, ISS, 600)
    return tokens.issue(
        sub=ALICE, sid=SESSION, auth_time=NOW, session_ends=NOW.replace(year=2027), now=NOW
    ).access_token


@ALGORITHMS
def test_joserfc_verifies_our_tokens_with_the_public_key(algorithm: str) -> None:
    published = KeySet.import_key_set(asdict(access_keyring(key_of(algorithm)).jwks()))
    read = jws.deserialize_compact(issue(key_of(algorithm)), published, algorithms=[algorithm])
    assert read.headers() == {"alg": algorithm, "kid": key_of(algorithm).kid, "typ": "at+jwt"}


@ALGORITHMS
def test_we_verify_tokens_that_joserfc_signs_under_our_header(algorithm: str) -> None:
    key = key_of(algorithm)
    payload = jws.extract_compact(issue(key).encode()).payload
    header = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}
    token = jws.serialize_compact(header, payload, theirs(algorithm), algorithms=[algorithm])
    verifier = AccessTokenVerifier(access_keyring(key_from_jwk(key.jwk)), iss=ISS, aud=ISS)
    assert verifier.verify(token).sub == ALICE


@ALGORITHMS
def test_a_kid_is_the_thumbprint_that_joserfc_computes(algorithm: str) -> None:
    """RFC 7638."""
    assert key_of(algorithm).kid == theirs(algorithm).thumbprint()


@ALGORITHMS
def test_only_the_public_key_is_published(algorithm: str) -> None:
    key = key_of(algorithm)
    public = theirs(algorithm).as_dict(private=False)
    public.pop("kid", None)
    assert key.jwk == {**public, "kid": key.kid, "use": "sig", "alg": algorithm}
    assert set(key.jwk) <= {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_shared_secret_is_never_published() -> None:
    secret = hmac_key(ACCESS_SECRET)
    assert access_keyring(secret).jwks().keys == []
    both = access_keyring(secret, key_of("ES256"), key_of("EdDSA")).jwks().keys
    assert [jwk["alg"] for jwk in both] == ["ES256", "EdDSA"]


@ALGORITHMS
def test_a_generated_key_has_the_requested_algorithm(algorithm: str) -> None:
    assert key_from_pem(generate_pem(algorithm)).algorithm == algorithm


@ALGORITHMS
def test_a_public_key_cannot_sign(algorithm: str) -> None:
    with pytest.raises(TypeError, match="cannot sign"):
        key_from_jwk(key_of(algorithm).jwk).sign(b"signed")


@ALGORITHMS
def test_a_signature_has_64_bytes_and_verifies_only_with_its_bytes_and_key(algorithm: str) -> None:
    key, other = key_of(algorithm), key_from_pem(generate_pem(algorithm))
    signature = key.sign(b"signed")
    assert len(signature) == 64
    assert key.verify(b"signed", signature)
    assert not key.verify(b"Signed", signature)
    assert not other.verify(b"signed", signature)
    for wrong in (
        b"",
        signature[:-1],
        signature + b"\0",
        b"\0" + signature,
        bytes(64),
        b"\xff" * 64,
    ):
        assert not key.verify(b"signed", wrong)


@ALGORITHMS
def test_every_bit_of_a_signature_is_verified(algorithm: str) -> None:
    key = key_of(algorithm)
    signature = key.sign(b"signed")
    for bit in range(512):
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << bit % 8
        assert not key.verify(b"signed", bytes(changed))


def test_an_es256_signature_in_der_is_refused() -> None:
    """RFC 7518 section 3.4: the signature is the two numbers, one after the other."""
    private = load_pem_private_key(P256.encode(), None)
    der = private.sign(b"signed", ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    key = key_of("ES256")
    assert key.verify(b"signed", r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert not key.verify(b"signed", der)
    assert not key.verify(b"signed", der[:64].ljust(64, b"\0"))


def test_the_numbers_of_an_es256_signature_must_lie_between_0_and_the_order() -> None:
    key = key_of("ES256")
    signature = key.sign(b"signed")
    r, s = signature[:32], signature[32:]
    for number in (0, P256_ORDER, P256_ORDER + 1, 2**256 - 1):
        wrong = number.to_bytes(32, "big")
        assert not key.verify(b"signed", wrong + s)
        assert not key.verify(b"signed", r + wrong)
        assert not key.verify(b"signed", wrong + wrong)


def test_the_second_valid_form_of_an_es256_signature_is_accepted() -> None:
    """If s is valid, n - s is too. Nothing depends on a token's text: see docs/security.md."""
    key = key_of("ES256")
    signature = key.sign(b"signed")
    other = P256_ORDER - int.from_bytes(signature[32:], "big")
    assert key.verify(b"signed", signature[:32] + other.to_bytes(32, "big"))


def test_an_ed25519_signature_has_one_form() -> None:
    """RFC 8032 section 5.1.7: S is below the order."""
    key = key_of("EdDSA")
    signature = key.sign(b"signed")
    larger = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    assert not key.verify(b"signed", signature[:32] + larger.to_bytes(32, "little"))


ENCRYPTED = pem_of(ed25519.Ed25519PrivateKey.generate(), b"password")
OTHER_KEYS = [
    (ENCRYPTED, "is encrypted"),
    (public_pem(ED25519), "is a public key"),
    (public_pem(P256), "is a public key"),
    (pem_of(ec.generate_private_key(ec.SECP384R1())), "is neither an Ed25519 nor a P-256 key"),
    (pem_of(ec.generate_private_key(ec.SECP256K1())), "is neither an Ed25519 nor a P-256 key"),
    (pem_of(rsa.generate_private_key(65537, 2048)), "is neither an Ed25519 nor a P-256 key"),
    (pem_of(ed448.Ed448PrivateKey.generate()), "is neither an Ed25519 nor a P-256 key"),
    (ED25519.replace("\n", "n"), "is not a private key in PEM form"),
    (ED25519[:-30], "is not a private key in PEM form"),
    (P256.replace("M", "N"), "is not a private key in PEM form"),
    ("canary", "is not a private key in PEM form"),
    ("\ud800", "is not a private key in PEM form"),
    ("", "is not a private key in PEM form"),
]


@pytest.mark.parametrize(("text", "message"), OTHER_KEYS, ids=range(len(OTHER_KEYS)))
def test_other_private_keys_are_refused_and_never_shown(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        key_from_pem(text)
    assert str(caught.value) == message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


ED, EC = dict(key_of("EdDSA").jwk or {}), dict(key_of("ES256").jwk or {})
OTHER_JWKS: list[Any] = [
    *(None, 1, "key", [], {}, {"kty": "oct", "k": "AA", "alg": "HS256", "use": "sig"}),
    *({**ED, name: value} for name in ED if name != "kid" for value in ("", None, 1, ["x"], "x")),
    *({**EC, name: value} for name in EC if name != "kid" for value in ("", None, 1, ["x"], "x")),
    *({key: kept for key, kept in EC.items() if key != name} for name in EC if name != "kid"),
    {**ED, "alg": "ES256"},
    {**EC, "alg": "EdDSA"},
    {**EC, "alg": "HS256"},
    {**EC, "use": "enc"},
    {**EC, "crv": "P-384"},
    {**ED, "crv": "X25519"},
    {**ED, "x": ED["x"] + "="},
    {**ED, "x": ED["x"] + "AAAA"},
    {**EC, "x": EC["y"], "y": EC["x"]},
    {**EC, "x": "A" * 10_000},
]


@pytest.mark.parametrize("jwk", OTHER_JWKS, ids=range(len(OTHER_JWKS)))
def test_other_public_keys_are_refused(jwk: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        key_from_jwk(jwk)


def test_the_kid_of_the_publisher_is_ignored() -> None:
    assert key_from_jwk({**ED, "kid": "../../dev/null", "d": "AA"}).kid == key_of("EdDSA").kid


def test_the_repr_of_a_key_does_not_show_its_private_part() -> None:
    for algorithm in PEM:
        key = key_of(algorithm)
        private = theirs(algorithm).as_dict(private=True)["d"]
        assert private not in f"{key!r} {key}"


def test_a_key_of_one_algorithm_refuses_a_token_of_another() -> None:
    for one, other in (("EdDSA", "ES256"), ("ES256", "EdDSA")):
        verifier = AccessTokenVerifier(access_keyring(key_of(one)), iss=ISS, aud=ISS)
        with pytest.raises(TokenInvalid):
            verifier.verify(issue(key_of(other)))
