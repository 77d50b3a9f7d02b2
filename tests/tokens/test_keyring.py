"""Keys: each has a derived kid and is found by the whole header; the current key signs."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authsvc.tokens.keyring import Keyring, decode, encode, hmac_key
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ACCESS, REFRESH = hmac_key(ACCESS_SECRET), hmac_key(REFRESH_SECRET)


def test_a_kid_is_derived_from_its_key_and_does_not_reveal_it() -> None:
    assert ACCESS.kid == hmac_key(ACCESS_SECRET).kid
    assert ACCESS.kid != REFRESH.kid
    assert len(decode(ACCESS.kid)) == 12
    assert decode(ACCESS.kid) not in ACCESS_SECRET
    assert ACCESS.kid != encode(hashlib.sha256(ACCESS_SECRET).digest()[:12])


def test_a_key_signs_and_verifies_with_hmac_sha256_only() -> None:
    signature = ACCESS.sign(b"signed")
    assert signature == hmac.digest(ACCESS_SECRET, b"signed", "sha256")
    assert ACCESS.verify(b"signed", signature)
    assert not ACCESS.verify(b"Signed", signature)
    assert not ACCESS.verify(b"signed", signature[:-1])
    assert not ACCESS.verify(b"signed", b"")
    assert not REFRESH.verify(b"signed", signature)


def test_a_key_does_not_show_its_secret() -> None:
    shown = f"{ACCESS!r} {ACCESS}"
    assert ACCESS_SECRET.hex() not in shown
    assert repr(ACCESS_SECRET)[2:20] not in shown


def test_the_current_key_signs_and_every_key_is_found() -> None:
    keyring = Keyring("at+jwt", ACCESS, REFRESH)
    assert keyring.current is ACCESS
    assert keyring.find(keyring.header) is ACCESS
    assert keyring.find(Keyring("at+jwt", REFRESH).header) is REFRESH


def test_a_header_of_another_kind_or_key_is_not_found() -> None:
    keyring = Keyring("at+jwt", ACCESS)
    assert keyring.find(Keyring("rt+jwt", ACCESS).header) is None
    assert keyring.find(Keyring("at+jwt", REFRESH).header) is None
    assert keyring.find("") is None


@given(st.binary(max_size=100))
@example(b"\0\0\x17")  # AAAX
def test_base64url_is_the_standard_librarys_without_padding(data: bytes) -> None:
    assert encode(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert decode(encode(data)) == data


@given(st.text(ALPHABET, max_size=20))
def test_base64url_has_one_text_for_the_same_bytes(text: str) -> None:
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AB", "AAB", "AA==", "AAA=", "A+A", "A/A", "AA\n", " AA", "A A", "é"]
)
def test_base64url_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(text)
