"""The device's challenges and markers, and what a browser signs, as pure functions."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authsvc.tokens.device import (
    DeviceProofInvalid,
    DeviceTokens,
    read_registration,
    read_renewal,
)
from authsvc.tokens.es256 import PublicKey
from authsvc.tokens.keyring import decode, encode
from authsvc.tokens.proof import Nonces
from tests.support.device import Device

NOW = 1_795_000_000.0 // 300 * 300
SID, OTHER = UUID(int=1), UUID(int=2)
SECRET, NEXT = b"s" * 64, b"n" * 64
KEY, ANOTHER, THIRD = "key", "another", "third"
MADE_BY = DeviceTokens(SECRET)


def is_offered(
    challenge: str, *, sid: UUID = SID, registered: str | None = None, key: str = KEY, at: float = 0
) -> bool:
    return MADE_BY.is_registration(challenge, sid, registered, key, NOW + at)


def test_a_registration_challenge_is_for_one_session_one_key_before_and_five_minutes() -> None:
    first = MADE_BY.registration_challenge(SID, None, NOW)
    again = MADE_BY.registration_challenge(SID, ANOTHER, NOW)
    assert is_offered(first)
    assert is_offered(again, registered=ANOTHER)
    assert is_offered(first, registered=KEY)  # the response was lost: the same key comes again
    assert is_offered(again, registered=KEY)
    assert not is_offered(first, registered=ANOTHER)
    assert not is_offered(again)
    assert not is_offered(again, registered=THIRD)
    assert not is_offered(first, sid=OTHER)
    assert is_offered(first, at=299.9)
    assert not is_offered(first, at=300)
    assert not is_offered(first, registered=KEY, at=300)


def test_every_bit_of_a_registration_challenge_counts() -> None:
    data = decode(MADE_BY.registration_challenge(SID, None, NOW))
    for bit in range(8 * len(data)):
        changed = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
        assert not is_offered(encode(changed)), bit
        assert not is_offered(encode(changed), registered=KEY), bit
    for length in range(len(data)):
        assert not is_offered(encode(data[:length]))
        assert not is_offered(encode(data[:length]), registered=KEY)


def test_a_challenge_is_the_same_for_five_minutes_and_good_in_the_windows_beside_it() -> None:
    challenge = MADE_BY.challenge(SID, NOW)
    assert MADE_BY.challenge(SID, NOW + 299.9) == challenge
    assert MADE_BY.challenge(SID, NOW + 300) != challenge
    assert MADE_BY.challenge(OTHER, NOW) != challenge
    good = [MADE_BY.is_current(challenge, SID, NOW + at) for at in (-301, -300, 0, 599.9, 600)]
    assert good == [False, True, True, True, False]
    assert not MADE_BY.is_current(challenge, OTHER, NOW)


def test_a_marker_is_of_one_session_and_lives_ten_minutes_and_the_leeway() -> None:
    marker = MADE_BY.marker(SID, NOW)
    good = [MADE_BY.is_marker(marker, SID, NOW + at) for at in (0, 609.9, 610)]
    assert good == [True, True, False]
    assert not MADE_BY.is_marker(marker, OTHER, NOW)
    assert not MADE_BY.is_marker(marker[:-1], SID, NOW)


def test_nothing_that_is_issued_for_one_purpose_counts_for_another() -> None:
    offered = MADE_BY.registration_challenge(SID, None, NOW)
    challenge, marker = MADE_BY.challenge(SID, NOW), MADE_BY.marker(SID, NOW)
    others = [Nonces(SECRET).issue(NOW), encode(bytes(40)), "", "ü", "\ud800"]
    for text in [challenge, marker, *others]:
        assert not is_offered(text)
        assert not is_offered(text, registered=KEY)
    for text in [offered, marker, *others]:
        assert not MADE_BY.is_current(text, SID, NOW)
    for text in [offered, challenge, *others]:
        assert not MADE_BY.is_marker(text, SID, NOW)


def test_a_rotated_secret_still_recognizes_what_was_issued_and_a_strange_one_nothing() -> None:
    offered = MADE_BY.registration_challenge(SID, None, NOW)
    challenge, marker = MADE_BY.challenge(SID, NOW), MADE_BY.marker(SID, NOW)
    for tokens, knows in [(DeviceTokens(NEXT, SECRET), True), (DeviceTokens(NEXT), False)]:
        assert tokens.is_registration(offered, SID, None, KEY, NOW) is knows
        assert tokens.is_current(challenge, SID, NOW) is knows
        assert tokens.is_marker(marker, SID, NOW) is knows
    assert DeviceTokens(NEXT, SECRET).challenge(SID, NOW) != challenge


def test_a_proof_names_its_key_and_its_challenge() -> None:
    device = Device()
    key, challenge = read_registration(device.signed({"jti": "c"}, with_key=True))
    assert (key, challenge) == (PublicKey(device.jwk["x"], device.jwk["y"]), "c")
    assert read_renewal(device.signed({"jti": "c"}, with_key=False), key) == "c"
    with pytest.raises(DeviceProofInvalid):
        read_renewal(device.signed({"jti": "c"}, with_key=True), key)
    with pytest.raises(DeviceProofInvalid):
        read_registration(device.signed({"jti": "c"}, with_key=False))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.one_of(
    st.binary(max_size=100).map(encode), JSON.map(lambda value: encode(json.dumps(value).encode()))
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.sampled_from(["dbsc+jwt", "JWT"]) | JSON,
        "alg": st.sampled_from(["ES256", "none", "HS256"]) | JSON,
        "jwk": st.fixed_dictionaries(
            {},
            optional={
                "kty": st.sampled_from(["EC", "oct"]) | JSON,
                "crv": st.sampled_from(["P-256", "P-384"]) | JSON,
                "x": st.binary(min_size=32, max_size=32).map(encode) | JSON,
                "y": st.binary(min_size=32, max_size=32).map(encode) | JSON,
            },
        )
        | JSON,
        "kid": JSON,
    },
)
DEVICE = Device()
OWN = PublicKey(DEVICE.jwk["x"], DEVICE.jwk["y"])


@settings(max_examples=300, deadline=None)
@given(
    st.text()
    | st.lists(PARTS, min_size=3, max_size=3).map(".".join)
    | st.tuples(HEADERS.map(lambda one: encode(json.dumps(one).encode())), PARTS, PARTS).map(
        ".".join
    )
)
def test_hostile_proofs_are_refused_and_raise_nothing_else(proof: str) -> None:
    with pytest.raises(DeviceProofInvalid):
        read_registration(proof)
    with pytest.raises(DeviceProofInvalid):
        read_renewal(proof, OWN)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_a_signed_payload_is_a_challenge_or_is_refused(payload: Any) -> None:
    proof = DEVICE.signed(payload, with_key=True)
    with pytest.raises(DeviceProofInvalid):
        read_registration(proof)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.floats(min_value=0, max_value=4e9))
def test_hostile_challenges_and_markers_are_refused(text: str, now: float) -> None:
    assert not MADE_BY.is_registration(text, SID, KEY, KEY, now)
    assert not MADE_BY.is_current(text, SID, now)
    assert not MADE_BY.is_marker(text, SID, now)
