"""A proof gives the thumbprint of its key, or is invalid, or is stale; nothing else happens."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicNumbers,
    derive_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from authsvc.tokens import es256
from authsvc.tokens.proof import Asked, Nonces, ProofInvalid, ProofStale, verify
from tests.support.dpop import ORIGIN, Prover, b64
from tests.support.signing_secrets import REFRESH_SECRET
from tests.tokens.forgery import EPOCH

PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""Of the field of P-256 (FIPS 186-4 section D.1.2.3)."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ASKED = Asked("POST", f"{ORIGIN}/auth/refresh", EPOCH)
NONCES = Nonces(REFRESH_SECRET)
ALICE = Prover()
quick = settings(max_examples=60, deadline=None, derandomize=True)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
json_values = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


def outcome(text: str, asked: Asked = ASKED, thumbprint: str | None = None) -> str:
    """Return the thumbprint, or which refusal it is; any other exception fails the test."""
    try:
        return verify(text, asked, NONCES, thumbprint)
    except (ProofInvalid, ProofStale) as refusal:
        return type(refusal).__name__


def honest(**claims: Any) -> str:
    return ALICE.proof("/auth/refresh", **claims)


def test_an_honest_proof_gives_the_thumbprint_that_another_library_computes() -> None:
    assert outcome(honest()) == ALICE.thumbprint
    assert outcome(honest(), thumbprint=ALICE.thumbprint) == ALICE.thumbprint


def test_a_proof_by_another_key_is_invalid() -> None:
    assert outcome(honest(), thumbprint=Prover().thumbprint) == "ProofInvalid"


@pytest.mark.parametrize(
    "asked",
    [
        Asked("GET", ASKED.uri, EPOCH),
        Asked("post", ASKED.uri, EPOCH),
        Asked("POST", f"{ASKED.uri}/", EPOCH),
        Asked("POST", None, EPOCH),
    ],
)
def test_a_proof_for_another_request_is_invalid(asked: Asked) -> None:
    assert outcome(honest(), asked) == "ProofInvalid"
    assert outcome(honest(htu=None, htm=asked.method), asked) == "ProofInvalid"


@pytest.mark.parametrize(
    ("iat", "expected"),
    [
        (EPOCH - 60, "accepted"),
        (EPOCH + 60, "accepted"),
        (EPOCH - 61, "ProofStale"),
        (EPOCH + 61, "ProofStale"),
        (0, "ProofStale"),
        (-(10**1000), "ProofStale"),
        (10**1000, "ProofStale"),
        (float(EPOCH), "ProofInvalid"),
        (True, "ProofInvalid"),
        (str(EPOCH), "ProofInvalid"),
        (None, "ProofInvalid"),
        (..., "ProofInvalid"),
    ],
    ids=[
        *("a minute late", "a minute early", "later", "earlier", "1970", "long ago", "far ahead"),
        *("float", "bool", "string", "null", "absent"),
    ],
)
def test_a_proof_is_fresh_within_a_minute_by_an_integer(iat: Any, expected: str) -> None:
    accepted = ALICE.thumbprint if expected == "accepted" else expected
    assert outcome(honest(iat=iat)) == accepted


@pytest.mark.parametrize("nonce", ["", "x", "\ud800", "é" * 22, NONCES.issue(0)])
def test_a_nonce_that_is_not_ours_makes_no_proof_fresh_and_spoils_none(nonce: str) -> None:
    assert outcome(honest(iat=0, nonce=nonce)) == "ProofStale"
    assert outcome(honest(nonce=nonce)) == ALICE.thumbprint


@pytest.mark.parametrize("nonce", [None, 1, True, [], {}, [NONCES.issue(EPOCH)]])
def test_a_nonce_that_is_not_a_string_is_invalid(nonce: Any) -> None:
    assert outcome(honest(nonce=nonce)) == "ProofInvalid"
    assert outcome(honest(iat=0, nonce=nonce)) == "ProofInvalid"


@pytest.mark.parametrize("minute", [-121, -120, -119, -60, 0, 59, 60, 119, 120, 179, 180])
def test_a_nonce_is_current_for_two_to_three_minutes_and_on_clocks_a_minute_behind(
    minute: int,
) -> None:
    start = EPOCH - EPOCH % 60
    nonce = NONCES.issue(start)
    assert NONCES.is_current(nonce, start + minute) == (-60 <= minute < 180)
    assert NONCES.issue(start + 59) == nonce != NONCES.issue(start + 60)


def test_nonces_of_a_previous_secret_stay_current_and_others_do_not() -> None:
    old, new = Nonces(b"old"), Nonces(b"new", b"old")
    assert new.is_current(old.issue(EPOCH), EPOCH)
    assert new.issue(EPOCH) == Nonces(b"new").issue(EPOCH) != old.issue(EPOCH)
    assert not Nonces(b"new").is_current(old.issue(EPOCH), EPOCH)


def test_nonces_are_the_same_in_every_version() -> None:
    """While an upgrade rolls out, workers of two versions run at the same time."""
    assert Nonces(b"a secret").issue(EPOCH) == "DKDnb2WRYt_mb89OCujp4Q"


@pytest.mark.parametrize("years", [-10, -1, 1, 10])
def test_with_a_nonce_the_time_of_the_client_does_not_count(
    clock: time_machine.Traveller, years: int
) -> None:
    clock.shift(years * 365 * 86_400)
    late = honest(nonce=NONCES.issue(EPOCH))
    assert outcome(late) == ALICE.thumbprint
    assert outcome(honest()) == "ProofStale"


def test_a_proof_is_stale_only_if_everything_else_is_right() -> None:
    assert outcome(honest(iat=0)) == "ProofStale"
    assert outcome(honest(iat=0), thumbprint=Prover().thumbprint) == "ProofInvalid"
    assert outcome(honest(iat=0, jti="")) == "ProofInvalid"
    signed, _ = honest(iat=0).rsplit(".", 1)
    _, signature = honest(iat=1).rsplit(".", 1)
    assert outcome(f"{signed}.{signature}") == "ProofInvalid"


def test_a_proof_of_4096_characters_is_accepted_and_a_longer_one_is_not() -> None:
    lengths = {}
    for extra in range(2600, 2800):
        text = honest(x="x" * extra)
        lengths[len(text)] = outcome(text)
    assert lengths[4096] == ALICE.thumbprint
    assert {lengths[longer] for longer in lengths if longer > 4096} == {"ProofInvalid"}
    assert {lengths[shorter] for shorter in lengths if shorter <= 4096} == {ALICE.thumbprint}


def with_point(x: int, y: int, size: int = 32) -> str:
    """Return a proof whose key has these coordinates."""
    jwk = {"kty": "EC", "crv": "P-256"}
    jwk |= {"x": b64(x.to_bytes(size, "big")), "y": b64(y.to_bytes(size, "big"))}
    return ALICE.signed(json.loads(payload_of(honest())), {"jwk": jwk})


def payload_of(text: str) -> bytes:
    part = text.split(".")[1]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def point(key: Prover = ALICE) -> EllipticCurvePublicNumbers:
    return key.key.public_key.public_numbers()


@pytest.mark.parametrize(
    "forge",
    [
        lambda x, y: with_point(0, 0),
        lambda x, y: with_point(0, 1),
        lambda x, y: with_point(x, y ^ 1),
        lambda x, y: with_point(y, x),
        lambda x, y: with_point(x, PRIME - y),
        lambda x, y: with_point(PRIME, PRIME),
        lambda x, y: with_point(x, y, size=33),
        lambda x, y: with_point(2**256 - 1, 2**256 - 1),
    ],
)
def test_a_point_that_is_not_the_key_s_is_invalid(forge: Callable[[int, int], str]) -> None:
    assert outcome(forge(point().x, point().y)) == "ProofInvalid"


def test_a_coordinate_beyond_the_prime_is_not_another_name_of_the_same_key() -> None:
    """OpenSSL takes 5 + p for 5, and one key would have two thumbprints."""
    small = next(number for number in range(5, 50) if root(number) is not None)
    y = root(small)
    assert y is not None
    es256._parsed(b64(small.to_bytes(32, "big")), b64(y.to_bytes(32, "big")))
    with pytest.raises(ValueError, match="below the prime"):
        es256._parsed(b64((small + PRIME).to_bytes(32, "big")), b64(y.to_bytes(32, "big")))


def root(x: int) -> int | None:
    """Return the y of the point with this x, if the curve has one."""
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    square = (x**3 - 3 * x + b) % PRIME
    y = pow(square, (PRIME + 1) // 4, PRIME)
    return y if y * y % PRIME == square else None


@pytest.mark.parametrize("r", ["0", "r", "n", "n+r", "max"])
@pytest.mark.parametrize("s", ["0", "s", "n", "max"])
def test_a_signature_with_another_number_is_invalid(r: str, s: str) -> None:
    text = honest().rpartition(".")[0]
    good_r, good_s = ALICE.signature_of(text.encode())
    numbers = {"0": 0, "n": ORDER, "max": 2**256 - 1, "r": good_r, "s": good_s}
    numbers["n+r"] = (good_r + ORDER) % 2**256
    signature = b"".join(number.to_bytes(32, "big") for number in (numbers[r], numbers[s]))
    expected = ALICE.thumbprint if (r, s) == ("r", "s") else "ProofInvalid"
    assert outcome(f"{text}.{b64(signature)}") == expected


def test_parsed_keys_are_cached_within_a_bound_and_faults_are_not() -> None:
    es256._parsed.cache_clear()
    for number in range(1, 20):
        numbers = derive_private_key(number, SECP256R1()).public_key().public_numbers()
        outcome(with_point(numbers.x, numbers.y))
        outcome(with_point(numbers.x, numbers.y ^ 1))
    assert es256._parsed.cache_info().currsize == 19
    assert es256._parsed.cache_info().maxsize == es256.MAX_KEYS
    assert outcome(honest()) == ALICE.thumbprint


@quick
@given(text=st.text(max_size=200) | st.from_regex(r"[\w=-]{1,40}\.[\w=-]{1,40}\.[\w=-]{1,90}"))
def test_no_text_is_a_proof(text: str) -> None:
    assert outcome(text) == "ProofInvalid"


@quick
@given(payload=json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
def test_a_rightly_signed_payload_without_the_claims_is_invalid(payload: bytes) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": ALICE.jwk}
    assert outcome(ALICE.signed_by_hand(json.dumps(header).encode(), payload)) == "ProofInvalid"


@quick
@given(header=json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
def test_a_rightly_signed_proof_with_another_header_is_invalid(header: bytes) -> None:
    assert outcome(ALICE.signed_by_hand(header, payload_of(honest()))) == "ProofInvalid"


@quick
@given(
    members=st.dictionaries(
        st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "b64"]), json_values, min_size=1
    )
)
def test_any_other_value_or_member_of_the_header_is_invalid(members: dict[str, Any]) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": ALICE.jwk, **members}
    text = ALICE.signed_by_hand(json.dumps(header).encode(), payload_of(honest()))
    assert outcome(text) == "ProofInvalid"


@quick
@given(
    members=st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "d", "kid", "use"]), json_values, min_size=1
    )
)
def test_any_other_value_or_member_of_the_key_is_invalid(members: dict[str, Any]) -> None:
    text = ALICE.signed(json.loads(payload_of(honest())), {"jwk": {**ALICE.jwk, **members}})
    assert outcome(text) == "ProofInvalid"


@quick
@given(
    claims=st.dictionaries(
        st.sampled_from(["jti", "htm", "htu", "iat", "nonce", "ath", "x"]), json_values, min_size=1
    )
)
def test_changed_claims_give_the_thumbprint_or_a_refusal(claims: dict[str, Any]) -> None:
    expected = outcome(honest(**claims))
    if {"htm", "htu"} & set(claims):
        assert expected == "ProofInvalid"
    assert expected in ("ProofInvalid", "ProofStale", ALICE.thumbprint)


def test_any_single_character_changed_is_invalid() -> None:
    text = honest()
    for at, character in enumerate(text):
        for other in "AQgwB-_.=+/ \n\0é":
            if other != character:
                assert outcome(f"{text[:at]}{other}{text[at + 1 :]}") == "ProofInvalid"


def test_every_other_last_character_is_invalid() -> None:
    text = honest()
    for other in map(chr, range(0x180)):
        assert (outcome(text[:-1] + other) == ALICE.thumbprint) == (other == text[-1])


@quick
@given(data=st.data())
def test_any_character_inserted_or_removed_is_invalid(data: st.DataObject) -> None:
    text = honest()
    at = data.draw(st.integers(0, len(text) - 1))
    inserted = data.draw(st.characters(codec=None))
    assert outcome(text[:at] + inserted + text[at:]) == "ProofInvalid"
    assert outcome(text[:at] + text[at + 1 :]) == "ProofInvalid"
