"""The corpus against services that sign with a private key, and attacks on such services only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from authsvc import clock
from authsvc.tokens.key_pairs import generate_pem, key_from_pem
from tests.attacks.groups import GROUPS
from tests.attacks.test_corpus import assert_documented_refusal, send
from tests.attacks.tokens import Good, b64, compact, unb64
from tests.conftest import MakeApp, empty_tables
from tests.support.key_pair_settings import ED25519_ORDER, P256_ORDER, PEM, signed_by
from tests.support.people import Person

OTHER = {"EdDSA": "ES256", "ES256": "EdDSA"}


@dataclass
class Target:
    """A service that signs access tokens with a key pair, and a user logged in to it."""

    algorithm: str
    alice: Person

    @property
    def good(self) -> Good:
        sign = key_from_pem(PEM[self.algorithm]).sign
        return Good("access", self.alice.access_token, self.alice.refresh_token, sign)

    def refuses(self, token: str) -> bool:
        answer = self.alice.call("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token
        return answer.json["code"] == "access_token_invalid"

    def accepts(self, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return self.alice.call("GET", "/api/me", headers=headers).status_code == 200


@pytest.fixture(scope="module", params=["EdDSA", "ES256"])
def target(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Target]:
    previous = {"access_token_private_key_previous": PEM[OTHER[request.param]]}
    app = make_app(**signed_by(request.param), **previous)
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    yield Target(request.param, alice)
    empty_tables(app)


@pytest.mark.parametrize("group", GROUPS)
def test_what_the_corpus_does_to_an_access_token_is_refused_here_too(
    target: Target, group: str
) -> None:
    untouched = f"alg {target.algorithm!r}, signed as HS256"  # unchanged for this algorithm
    rows = [attack for attack in GROUPS[group] if "access" in attack.on]
    for attack in rows:
        if attack.name == untouched:
            continue
        for sent in attack.requests(target.good):
            answer = send(target.alice.app, sent)
            assert answer.status_code == attack.status, attack.name
            assert answer.json["code"] == attack.code("access"), attack.name
            assert_documented_refusal(answer, "access")
    assert target.accepts(target.good.text)


def texts_of_the_public_key(algorithm: str) -> list[bytes]:
    """Return each text that an attacker could derive from the public key and use as a secret."""
    key = key_from_pem(PEM[algorithm])
    public = load_pem_private_key(PEM[algorithm].encode(), None).public_key()
    formats = [
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ]
    if algorithm == "EdDSA":
        formats.append((Encoding.Raw, PublicFormat.Raw))
    else:
        formats.append((Encoding.X962, PublicFormat.UncompressedPoint))
        formats.append((Encoding.X962, PublicFormat.CompressedPoint))
    texts = [public.public_bytes(*form) for form in formats]
    jwk = dict(key.jwk or {})
    texts += [compact(jwk), compact({"keys": [jwk]}), jwk["x"].encode(), unb64(jwk["x"])]
    texts += [text.rstrip(b"\n") for text in texts]
    return [*texts, key.kid.encode(), unb64(key.kid), b""]


def test_a_token_signed_with_the_public_key_as_secret_is_refused(target: Target) -> None:
    good = target.good
    for alg in ("HS256", "HS512", "none", target.algorithm):
        header = compact({**good.header, "alg": alg})
        for text in texts_of_the_public_key(target.algorithm):
            assert target.refuses(good.signed(header=header, key=text))
            assert target.refuses(good.signed(header=header, key=text, digest="sha512"))


def test_the_algorithm_none_is_refused(target: Target) -> None:
    for alg in ("none", "None", target.algorithm):
        unsigned = target.good.with_header(alg=alg).rpartition(".")[0]
        for signature in (".", ".AA", f".{b64(bytes(64))}", ""):
            assert target.refuses(f"{unsigned}{signature}")


def test_a_key_signs_for_its_own_algorithm_alone(target: Target) -> None:
    good, other = target.good, OTHER[target.algorithm]
    assert target.refuses(good.with_header(alg=other))
    kid_of_other = key_from_pem(PEM[other]).kid
    assert target.refuses(good.with_header(kid=kid_of_other))
    assert target.refuses(good.with_header(alg=other, kid=kid_of_other))
    for kind in PEM:  # a stranger's key, of either kind
        stranger = Good("access", good.text, good.other, key_from_pem(generate_pem(kind)).sign)
        assert target.refuses(stranger.with_claims(iat=good.claims["iat"]))
        assert target.refuses(stranger.with_header(alg=kind))
        jwk = dict(key_from_pem(generate_pem(kind)).jwk or {})
        assert target.refuses(stranger.with_header(alg=kind, kid=jwk["kid"], jwk=jwk))


def test_the_previous_key_still_verifies(target: Target) -> None:
    other = key_from_pem(PEM[OTHER[target.algorithm]])
    previous = Good("access", target.good.text, target.good.other, other.sign)
    assert target.accepts(previous.with_header(alg=other.algorithm, kid=other.kid))


def spliced(target: Target, signature: bytes) -> str:
    return target.good.spliced(2, b64(signature))


def test_a_signature_of_another_length_is_refused(target: Target) -> None:
    signature = unb64(target.good.parts[2])
    assert len(signature) == 64
    for wrong in (
        signature[:-1],
        signature[1:],
        signature + b"\0",
        b"\0" + signature,
        signature * 2,
    ):
        assert target.refuses(spliced(target, wrong))
    halves = signature[:32], signature[32:]
    assert target.refuses(spliced(target, b"".join(b"\0" + half for half in halves)))
    assert target.refuses(spliced(target, halves[1] + halves[0]))
    assert target.refuses(spliced(target, b"".join(half[::-1] for half in halves)))


def numbers(target: Target) -> tuple[Any, Any]:
    signature = unb64(target.good.parts[2])
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def test_es256_signatures_in_der_or_out_of_range_are_refused(target: Target) -> None:
    """RFC 7518 section 3.4; zeros were once a valid signature of anything (CVE-2022-21449)."""
    r, s = numbers(target)
    der = encode_dss_signature(r, s)
    assert target.refuses(spliced(target, der))
    assert target.refuses(spliced(target, der[:64]))
    whole = 2**256
    for wrong in (0, P256_ORDER, (s + P256_ORDER) % whole, P256_ORDER + 1, whole - 1):
        for pair in ((wrong, s), (r, wrong), (wrong, wrong)):
            raw = b"".join(number.to_bytes(32, "big") for number in pair)
            assert target.refuses(spliced(target, raw))


def test_ed25519_signatures_have_one_form(target: Target) -> None:
    """RFC 8032 section 5.1.7."""
    signature = unb64(target.good.parts[2])
    number = int.from_bytes(signature[32:], "little")
    for wrong in (0, ED25519_ORDER, (number + ED25519_ORDER) % 2**256, 2**255 + number % 2**255):
        if wrong != number:
            changed = signature[:32] + wrong.to_bytes(32, "little")
            assert target.refuses(spliced(target, changed))


def test_the_second_form_of_an_es256_signature_is_revoked_with_its_session(target: Target) -> None:
    """ECDSA has two forms of each signature; the second is a form of the same token."""
    if target.algorithm != "ES256":
        return
    person = target.alice.on_another_device().logged_in()
    good = Good("access", person.access_token, person.refresh_token)
    s = int.from_bytes(unb64(good.parts[2])[32:], "big")
    other = unb64(good.parts[2])[:32] + (P256_ORDER - s).to_bytes(32, "big")
    twin = good.spliced(2, b64(other))
    assert twin != good.text
    assert target.accepts(twin)
    person.log_out()
    with time_machine.travel(clock.now() + timedelta(seconds=2), tick=False):
        answers = [
            person.call("GET", "/api/me", headers={"Authorization": f"Bearer {token}"}).json["code"]
            for token in (good.text, twin)
        ]
    assert answers == ["access_token_revoked"] * 2


def test_keys_of_other_curves_sign_nothing(target: Target) -> None:
    for curve in (ec.SECP256K1(), ec.SECP384R1(), ec.BrainpoolP256R1()):
        private = ec.generate_private_key(curve)

        def sign(signed: bytes, private: Any = private) -> bytes:
            return private.sign(signed, ec.ECDSA(hashes.SHA256()))

        forged = Good("access", target.good.text, target.good.other, sign)
        assert target.refuses(forged.with_claims(jti=target.good.claims["jti"]))
        assert target.refuses(forged.with_header(alg="ES256"))
