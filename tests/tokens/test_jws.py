"""The compact form: the payload is parsed only after the signature is verified."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.tokens.jws import MAX_LENGTH, TokenInvalid, sign, verified_payload
from authsvc.tokens.keyring import Key, Keyring, decode, encode, hmac_key
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

KEYRING = Keyring("at+jwt", hmac_key(ACCESS_SECRET))


def fail_if_called(*_: object) -> Any:
    raise AssertionError("the key was used")


def assert_refused(token: str, keyring: Keyring = KEYRING) -> None:
    with pytest.raises(TokenInvalid):
        verified_payload(token, keyring)


payloads = st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(), max_size=9)


@given(payloads)
def test_what_is_signed_is_read_back(payload: dict[str, Any]) -> None:
    assert verified_payload(sign(payload, KEYRING), KEYRING) == payload


def test_a_token_has_three_base64url_parts() -> None:
    header, body, signature = sign({"iss": "é"}, KEYRING).split(".")
    assert header == KEYRING.header
    assert decode(body) == b'{"iss":"\\u00e9"}'
    assert len(decode(signature)) == 32


@given(st.text(max_size=60))
def test_any_text_is_refused_with_one_error(text: str) -> None:
    assert_refused(text)


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_any_payload_and_signature_under_our_header_are_refused(
    body: bytes, signature: bytes
) -> None:
    assert_refused(f"{KEYRING.header}.{encode(body)}.{encode(signature)}")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"", b"{", b'{"a":1,"a":1}'])
def test_a_signed_payload_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    signed = f"{KEYRING.header}.{encode(body)}"
    assert_refused(f"{signed}.{encode(KEYRING.current.sign(signed.encode()))}")


def test_a_token_of_the_wrong_form_or_length_never_reaches_a_key() -> None:
    keyring = Keyring("at+jwt", Key("kid", "HS256", fail_if_called, fail_if_called))
    for token in ("", "a.b", "a.b.c.d", "a.b.c=", f"{keyring.header}.e30=.AA", "é.b.c"):
        assert_refused(token, keyring)
    assert_refused(f"{keyring.header}.e30.{'A' * MAX_LENGTH}", keyring)
    with pytest.raises(AssertionError, match="the key was used"):
        verified_payload(f"{keyring.header}.e30.AA", keyring)


def test_the_error_does_not_name_the_failed_check() -> None:
    wrong = sign({}, Keyring("at+jwt", hmac_key(REFRESH_SECRET)))
    for token in (wrong, "", sign({}, KEYRING)[:-2]):
        with pytest.raises(TokenInvalid) as caught:
            verified_payload(token, KEYRING)
        assert str(caught.value) == ""
